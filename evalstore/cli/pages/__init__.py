"""What a person sees: for each command the blocks of its page, made of what the store answered."""
