"""What several tests need: real servers, databases cloned from templates."""
