"""Recording rooms' encoders: which there are (`registry`), which lesson uses one (`uses`), and keeping it on the air (`keeper`)."""
