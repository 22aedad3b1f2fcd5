"""What the browser downloads, per entry of a web bundle, and which packages and modules it is made of."""
