namespace DiffEqLang.Runtime;

/// <summary>What makes an event happen.</summary>
public enum EventKind
{
    /// <summary>Its value passes zero from below, seen in the direction in which the solve goes.</summary>
    Rising,

    /// <summary>Its value passes zero from above, seen in the direction in which the solve goes.</summary>
    Falling,

    /// <summary>Its value passes zero.</summary>
    Crossing,

    /// <summary>The time is a multiple of a period.</summary>
    Every,

    /// <summary>The time has come.</summary>
    At,
}

/// <summary>What is fixed about an event of a model: <c>when falling(h) { v := -0.8*v }</c>.</summary>
/// <param name="Name">As the model writes it: <c>falling(h)</c>.</param>
/// <param name="Kind">What makes it happen.</param>
/// <param name="Time">The period, or the time, of an event that watches no value; else zero.</param>
/// <param name="Stops">Whether the solve of a sample ends there.</param>
public sealed record EventSpec(string Name, EventKind Kind, double Time, bool Stops)
{
    /// <summary>Whether it happens where a value passes zero, and not at given times.</summary>
    public bool IsRoot => Kind is EventKind.Rising or EventKind.Falling or EventKind.Crossing;

    /// <summary>An event where a value passes zero from below.</summary>
    public static EventSpec Rising(string name, bool stops = false) => new(name, EventKind.Rising, 0, stops);

    /// <summary>An event where a value passes zero from above.</summary>
    public static EventSpec Falling(string name, bool stops = false) => new(name, EventKind.Falling, 0, stops);

    /// <summary>An event where a value passes zero.</summary>
    public static EventSpec Crossing(string name, bool stops = false) => new(name, EventKind.Crossing, 0, stops);

    /// <summary>An event at all multiples of a period that lie behind the start of the solve.</summary>
    public static EventSpec Every(string name, double period, bool stops = false) => new(name, EventKind.Every, period, stops);

    /// <summary>An event at one time, where that lies behind the start of the solve.</summary>
    public static EventSpec At(string name, double time, bool stops = false) => new(name, EventKind.At, time, stops);
}
