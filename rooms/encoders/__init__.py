"""Recording rooms' encoders: which there are (`registry`), trying one (`tries`), which lesson uses one (`uses`), and keeping it on the air (`keeper`)."""
