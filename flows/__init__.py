"""The composition root: commands and Prefect flows. The only reader of the environment and importer of Prefect."""
