"""What long work needs: settings, progress events, output that is whole or absent, checkpoints to resume from."""
