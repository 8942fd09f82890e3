"""What guards the desk: what was refused, as rows; second factors; sessions that end."""
