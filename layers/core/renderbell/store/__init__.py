"""What Renderbell remembers, in DynamoDB."""
