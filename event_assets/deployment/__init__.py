"""What takes the work to other processes and hosts; nothing else imports its packages."""
