"""ZZU pECG, the paediatric database of Zhengzhou University."""
