"""Repair: plan what makes two stores agree, carry it out row by row against what was planned, take it back."""
