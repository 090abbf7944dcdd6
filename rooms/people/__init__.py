"""Who may do what: accounts, roles, sessions, sign-in links, classroom devices and their assistants."""
