"""Companies House: the British register (api.company-information.service.gov.uk)."""
