"""The wiring: settings, URLs, sockets, tasks and the one-process desk; it knows every app and none knows it."""
