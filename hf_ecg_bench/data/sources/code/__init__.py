"""CODE-15% and CODE-test: exams of the Telehealth Network of Minas Gerais."""
