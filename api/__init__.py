"""HTTP, WebSocket, pages and the command line: the only package that knows them."""
