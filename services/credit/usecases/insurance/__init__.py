"""Operations of credit insurance."""
