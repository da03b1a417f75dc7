"""The two functions as the guide has them, written straight down: what `bench/aws.py` compares with."""
