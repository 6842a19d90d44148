/* Draws the Mandelbrot set. */
#include <complex.h>
#include <stdio.h>

static int steps(double complex c) {
  double complex z = 0;
  int count = 0;
  while (cabs(z) < 2 && count < 60) {
    z = z * z + c;
    count++;
  }
  return count;
}

int main(void) {
  const char *shades = " .:-=+*#%@";
  for (double y = -1.2; y <= 1.2; y += 0.1) {
    for (double x = -2.1; x <= 0.7; x += 0.045) putchar(shades[steps(x + y * I) * 9 / 60]);
    putchar('\n');
  }
}
