"""INSEE Sirene: the French register of companies and establishments (api.insee.fr, version 3.11)."""
