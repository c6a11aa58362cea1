using System.Globalization;
using System.Text.Json;

namespace DiffEqLang.Tableaux;

/// <summary>Reads an explicit method from JSON; see <see cref="RungeKuttaTableau.FromJson"/>.</summary>
internal static class TableauReader
{
    /// <summary>Of order 13 there are 12,486 trees more than of order 12, and each is a condition.</summary>
    private const int HighestOrder = 12;

    private static readonly string[] Properties = ["name", "order", "a", "b", "c", "b_hat", "error_order", "dense", "dense_order", "citation"];

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public static RungeKuttaTableau Read(string json)
    {
        using var document = Parse(json);
        var file = document.RootElement;
        Require(file.ValueKind == JsonValueKind.Object, "a tableau is an object such as { \"name\": \"mine\", \"order\": 2, \"a\": [[], [1]], \"b\": [0.5, 0.5] }");
        foreach (var property in file.EnumerateObject())
            Require(Properties.Contains(property.Name), $"there is no property \"{property.Name}\"; there are {string.Join(", ", Properties)}");
        var tableau = Tableau(file);
        Check(tableau, file);
        return tableau;
    }

    private static RungeKuttaTableau Tableau(JsonElement file)
    {
        var (name, order) = (Name(file), Order(file, "order"));
        var b = Row(Needed(file, "b"), "b");
        var a = Rows(Needed(file, "a"), "a");
        Require(a.Length == b.Length, $"a has {a.Length} rows, and b has {b.Length} weights: there is a row and a weight for each stage");
        double[][] rows = [.. a.Select(Explicit)];
        var plain = Made(name, order, rows, b, file, null, null);
        var error = file.TryGetProperty("b_hat", out var lower) ? Error(plain, Row(lower, "b_hat"), OrderOr(file, "error_order", order - 1)) : null;
        var dense = file.TryGetProperty("dense", out var weights) ? Dense(plain, Rows(weights, "dense")) : null;
        return error is null && dense is null ? plain : Made(name, order, rows, b, file, error, dense);
    }

    private static RungeKuttaTableau Made(
        string name, int order, double[][] rows, double[] b, JsonElement file, ErrorEstimate? error, DenseOutput? dense)
    {
        var citation = file.TryGetProperty("citation", out var text) ? text.ToString() : "";
        try
        {
            return new RungeKuttaTableau(name, order, rows[1..], b, citation, error, dense);
        }
        catch (ArgumentException contradiction)
        {
            throw new FormatException(contradiction.Message);
        }
    }

    /// <summary>The order that is stated must be had, by the solution, by the error's and by the dense output.</summary>
    private static void Check(RungeKuttaTableau tableau, JsonElement file)
    {
        if (file.TryGetProperty("c", out var given))
        {
            var c = Row(given, "c");
            Require(c.Length == tableau.B.Count, $"c has {c.Length} nodes; there is one for each of the {tableau.B.Count} stages");
            for (var i = 0; i < c.Length; i++)
                Require(Math.Abs(c[i] - tableau.C[i]) < 1e-12, $"c[{i}] is {c[i]}, and row {i} of a sums to {tableau.C[i]}");
        }

        var conditions = new OrderConditions(tableau.A);
        Hold(conditions.FirstViolated(tableau.Order, tableau.B), "the solution", tableau.Order, "order");
        if (tableau.Error is { } error)
        {
            double[] lower = [.. error.Estimates[0].Select((e, i) => (i < tableau.B.Count ? tableau.B[i] : 0) - e)];
            Hold(conditions.FirstViolated(error.Order, lower), "b_hat", error.Order, "error_order");
        }

        if (!file.TryGetProperty("dense", out _)) return;
        var denseOrder = OrderOr(file, "dense_order", tableau.Order - 1);
        foreach (var theta in (double[])[0.25, 0.5, 0.875])
            Hold(conditions.FirstViolated(denseOrder, tableau.DenseWeights(theta), theta), "the dense output", denseOrder, "dense_order");
    }

    private static void Hold(OrderCondition? violated, string what, int order, string property) => Require(
        violated is null,
        $"{what} is not of the order {order} that \"{property}\" states: for the tree {violated?.Tree} of {violated?.Tree.Vertices} vertices the weights give {violated?.Sum}, not {violated?.Required}");

    private static double[] Explicit(double[] row, int stage)
    {
        Require(row.Length >= stage, $"row {stage} of a has {row.Length} entries, and needs {stage}");
        var beyond = Array.FindIndex(row, stage, value => value != 0);
        Require(beyond < 0, $"row {stage} of a has an entry in column {beyond}, and the stages of an explicit method use only earlier ones");
        return row[..stage];
    }

    private static ErrorEstimate Error(RungeKuttaTableau tableau, double[] lower, int order)
    {
        var end = tableau.EndStage + 1;
        Require(
            lower.Length == tableau.B.Count || lower.Length == end,
            $"b_hat has {lower.Length} weights; there is one for each of the {tableau.B.Count} stages, and one for the slope at the end where it is used");
        double At(IReadOnlyList<double> weights, int i) => i < weights.Count ? weights[i] : 0;
        return new ErrorEstimate(order, [.. Enumerable.Range(0, end).Select(i => At(tableau.B, i) - At(lower, i))]);
    }

    private static DenseOutput Dense(RungeKuttaTableau tableau, double[][] weights)
    {
        Require(
            weights.Length == tableau.B.Count,
            $"dense has {weights.Length} rows; there is one for each of the {tableau.B.Count} stages, with the coefficients of θ, θ², ...");
        var degree = Math.Max(1, weights.Max(row => row.Length));
        double[][] rows = [.. weights.Select(row => (double[])[.. row, .. new double[degree - row.Length]])];
        return new DenseOutput([.. rows, .. Enumerable.Range(0, tableau.EndStage + 1 - rows.Length).Select(_ => new double[degree])], []);
    }

    private static string Name(JsonElement file)
    {
        var name = Needed(file, "name");
        Require(name.ValueKind == JsonValueKind.String && name.GetString()!.Length > 0, "\"name\" is a text such as \"mine\"");
        var text = name.GetString()!;
        Require(text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'), $"\"name\" has letters, digits and underscores, not \"{text}\"");
        Require(Catalogue.Find(text) is null, $"\"name\" is \"{text}\", which is a method already");
        return text;
    }

    private static int OrderOr(JsonElement file, string property, int otherwise) =>
        file.TryGetProperty(property, out _) ? Order(file, property) : Math.Max(1, otherwise);

    private static int Order(JsonElement file, string property)
    {
        var value = Needed(file, property);
        var order = 0;
        Require(
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out order) && order is >= 1 and <= HighestOrder,
            $"\"{property}\" is a whole number from 1 to {HighestOrder}");
        return order;
    }

    private static double[][] Rows(JsonElement value, string what)
    {
        Require(value.ValueKind == JsonValueKind.Array, $"\"{what}\" is a list of rows");
        return [.. value.EnumerateArray().Select((row, i) => Row(row, $"row {i} of {what}"))];
    }

    private static double[] Row(JsonElement value, string what)
    {
        Require(value.ValueKind == JsonValueKind.Array, $"{what} is a list of numbers");
        return [.. value.EnumerateArray().Select(number => Number(number, what))];
    }

    /// <summary>A number, or a fraction as text: <c>"1/6"</c>.</summary>
    private static double Number(JsonElement value, string what)
    {
        if (value.ValueKind == JsonValueKind.Number) return value.GetDouble();
        double[] parts = value.ValueKind == JsonValueKind.String
            ? [.. value.GetString()!.Split('/').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) ? x : double.NaN)]
            : [];
        var number = parts.Length switch { 1 => parts[0], 2 => parts[0] / parts[1], _ => double.NaN };
        Require(double.IsFinite(number), $"{what} holds {value.GetRawText()}, which is neither a number nor a fraction such as \"1/6\"");
        return number;
    }

    private static JsonElement Needed(JsonElement file, string property)
    {
        Require(file.TryGetProperty(property, out var value), $"\"{property}\" is missing");
        return value;
    }

    private static JsonDocument Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json, Lenient);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"the file is not JSON: {exception.Message}");
        }
    }

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new FormatException(what);
    }
}
