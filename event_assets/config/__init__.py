"""What a source is: frozen, validated configuration without any runtime."""
