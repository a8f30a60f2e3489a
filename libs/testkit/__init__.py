"""What tests stand on: servers, stacks, tenants, clients."""
