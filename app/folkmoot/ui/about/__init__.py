"""What this program is: version, licences, profile folder, and whether there is a newer one."""
