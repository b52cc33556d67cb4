"""The two stores: how they are reached, compared, seeded and looked after. The only importer of drivers."""
