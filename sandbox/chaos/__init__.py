"""Random faults on real processes: a seeded schedule, shoppers who buy meanwhile, and a verdict (F35)."""
