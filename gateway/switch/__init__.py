"""The switch: how the gateway asks an issuer to authorise, reverse or tell, over ISO 8583."""
