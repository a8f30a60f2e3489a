"""The machines and rooms of Encours."""
