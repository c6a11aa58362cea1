using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// An exception that leaves a custom backward function ends the process (TorchSharp 0.107), so a backward pass that fails
/// keeps its exception here and answers with zero gradients, by which an optimizer step changes nothing.
/// It is thrown again at the next safe point: the next solve on the thread that made the failed one, or <see cref="ThrowIfAny"/>.
/// </summary>
public sealed class GradientFault
{
    [ThreadStatic]
    private static GradientFault? _ofThread;

    private ExceptionDispatchInfo? _first;

    private GradientFault() { }

    /// <summary>Where the solves of this thread leave their faults, whatever thread their backward pass runs on.</summary>
    internal static GradientFault OfThread => _ofThread ??= new GradientFault();

    /// <summary>Throws what went wrong in a backward pass through a solve of this thread, once; call it after <c>backward()</c>.</summary>
    public static void ThrowIfAny() => Interlocked.Exchange(ref OfThread._first, null)?.Throw();

    /// <summary>Runs a backward pass, without autograd; false where it failed, and what it threw is kept.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="obstacle">Why its gradients cannot be differentiated again.</param>
    internal bool Runs(Action pass, Func<string> obstacle)
    {
        var isOfHigherOrder = is_grad_enabled();
        using var noGradient = no_grad();
        try
        {
            if (isOfHigherOrder) throw SecondDerivatives.Refusal(obstacle());
            using (inference_mode()) pass();
            return true;
        }
        catch (Exception exception)    // whatever it is, it must not reach libtorch
        {
            Keep(exception);
            return false;
        }
    }

    /// <summary>Keeps the first exception.</summary>
    internal void Keep(Exception exception) =>
        Interlocked.CompareExchange(ref _first, ExceptionDispatchInfo.Capture(exception), null);
}
