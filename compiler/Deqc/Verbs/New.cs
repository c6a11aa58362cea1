using System.CommandLine;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc new NAME [--template T]</c>: a first model to change.</summary>
public sealed class New : Verb
{
    private readonly Argument<string> name = new("NAME") { Description = "the model's name; NAME.deq is written" };
    private readonly Option<string> template = new("--template") { HelpName = "T", Description = "ode, sde, hnn or cnf", DefaultValueFactory = _ => "ode" };

    /// <inheritdoc/>
    public override string Summary => "writes a first model to change";

    /// <inheritdoc/>
    public override int Position => 8;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc new pendulum", "an ordinary differential equation"),
        new("deqc new prices --template sde", "a stochastic one; hnn is a Hamiltonian network, cnf a continuous normalizing flow"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [name];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [template];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var word = arguments.GetRequiredValue(name);
        var path = word.EndsWith(".deq", StringComparison.Ordinal) ? word : word + ".deq";
        var text = Template(arguments.GetRequiredValue(template)).Replace("NAME", ModelName(path));
        if (File.Exists(path) || Directory.Exists(path)) throw CommandFailure.File($"{path} exists already and is left as it is: choose another name");
        OutputFiles.Write(OutputFile.OfText(path, text));
        terminal.Output.WriteLine($"{path} written; deqc run {path} -o {Path.ChangeExtension(path, ".png")} solves and draws it");
        return ExitCode.Done;
    }

    // two-body -> TwoBody: a file name as a model's name, which becomes the name of a C# class.
    private static string ModelName(string path)
    {
        var words = Path.GetFileNameWithoutExtension(path).Split(['-', '_', ' ', '.'], StringSplitOptions.RemoveEmptyEntries);
        var name = string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        return name.Length > 0 && char.IsLetter(name[0]) && name.All(char.IsLetterOrDigit)
            ? name
            : throw CommandFailure.Usage($"'{Path.GetFileNameWithoutExtension(path)}' is no name for a model: it starts with a letter, then letters, digits, - or _");
    }

    private static string Template(string kind) => kind switch
    {
        "ode" => Ode,
        "sde" => Sde,
        "hnn" => Hnn,
        "cnf" => Cnf,
        "resnet" or "cde" => throw CommandFailure.Usage($"--template {kind}: not supported yet; there are ode, sde, hnn and cnf"),
        _ => throw CommandFailure.Usage($"--template {kind}: there is no such template{CommandLine.DidYouMean(kind, ["ode", "sde", "hnn", "cnf"])} (there are ode, sde, hnn and cnf)"),
    };

    private const string Ode = """
        ## A damped pendulum: angle and angular velocity.
        model NAME {
          state angle, velocity
          param damping : R = 0.2 in (0, inf)
          const g      = 9.81
          const length = 1

          dangle/dt    = velocity
          dvelocity/dt = -g/length*sin(angle) - damping*velocity

          output energy = 0.5*(length*velocity)^2 + g*length*(1 - cos(angle))

          init angle    = 2
          init velocity = 0
          solve { t = 0 .. 10, method = tsit5(rtol = 1e-6, atol = 1e-8) }
        }

        """;

    private const string Sde = """
        ## Geometric Brownian motion: a price with drift and volatility.
        model NAME {
          state price
          wiener W
          param growth     : R = 0.05
          param volatility : R = 0.2  in (0, inf)

          calculus ito
          dprice = growth*price*dt + volatility*price*dW

          init price = 1
          solve { t = 0 .. 5, method = milstein(dt = 0.01) }
        }

        """;

    private const string Hnn = """
        ## A Hamiltonian neural network: whatever it learns, it conserves its H.
        model NAME {
          state q, p
          net H : R[2] -> R = dense(64) |> tanh |> dense(1)

          dq/dt = grad(H([q, p]), p)
          dp/dt = -grad(H([q, p]), q)

          output energy = H([q, p])

          init q = 1
          init p = 0
          solve { t = 0 .. 10, method = dopri5(rtol = 1e-6, atol = 1e-8) }
        }

        """;

    private const string Cnf = """
        ## A continuous normalizing flow in the plane, with the exact trace.
        model NAME {
          state z : R[2], logp
          net f : R[3] -> R[2] = dense(64) |> tanh |> dense(64) |> tanh |> dense(2)
          let v = f(concat(z, t))

          dz/dt    = v
          dlogp/dt = -div(v, z)

          init z    = [1, 0]
          init logp = 0
          solve { t = 0 .. 1, method = dopri5(rtol = 1e-5, atol = 1e-5) }
        }

        """;
}
