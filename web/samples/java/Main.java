import java.util.List;
import java.util.stream.Collectors;

/** Groups shapes by their kind and adds up their areas. */
public class Main {
  sealed interface Shape permits Circle, Rectangle {}

  record Circle(double radius) implements Shape {}

  record Rectangle(double width, double height) implements Shape {}

  static double area(Shape shape) {
    if (shape instanceof Circle circle) return Math.PI * circle.radius() * circle.radius();
    Rectangle rectangle = (Rectangle) shape;
    return rectangle.width() * rectangle.height();
  }

  public static void main(String[] args) {
    var shapes = List.of(new Circle(1), new Rectangle(2, 3), new Circle(2), new Rectangle(1, 1));
    var areas =
        shapes.stream()
            .collect(Collectors.groupingBy(shape -> shape.getClass().getSimpleName(), Collectors.summingDouble(Main::area)));
    areas.forEach((kind, area) -> System.out.printf("%-10s %6.2f%n", kind, area));
  }
}
