"""Everything on one machine: embedded servers and the processes of the house."""
