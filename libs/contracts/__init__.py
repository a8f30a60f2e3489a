"""The words services share. Imports nothing of ours."""
