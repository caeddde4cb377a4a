// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Proxy.Control;

namespace Weft.Proxy.Life;

/// <summary>How long a proxy that was asked to end goes on for what is under way.</summary>
/// <param name="Drain">The most that open connections get (Istio's terminationDrainDuration).</param>
/// <param name="EndsWhenIdle">True ends it sooner, when nothing is under way any more, but not before <paramref name="Minimum"/>.</param>
/// <param name="Minimum">How long others may need to learn that it is going (Istio's MINIMUM_DRAIN_DURATION).</param>
internal sealed record ShutDownSettings(TimeSpan Drain, bool EndsWhenIdle, TimeSpan Minimum)
{
    private const string EndsWhenIdleName = "EXIT_ON_ZERO_ACTIVE_CONNECTIONS";
    private const string MinimumName = "MINIMUM_DRAIN_DURATION";
    private const string DrainName = "TERMINATION_DRAIN_DURATION_SECONDS";

    /// <summary>The bootstrap's values, but for what the environment sets under the names that Istio's agent reads.</summary>
    /// <exception cref="BootstrapException">A variable has a value that cannot be used; the message names it.</exception>
    internal static ShutDownSettings Read(Bootstrap bootstrap, Func<string, string?> environment) => new(
        Seconds(environment, DrainName) ?? TimeSpan.FromSeconds(bootstrap.DrainSeconds),
        Flag(environment, EndsWhenIdleName) ?? bootstrap.ExitOnZeroActiveConnections,
        Seconds(environment, MinimumName) ?? TimeSpan.FromSeconds(bootstrap.MinimumDrainSeconds));

    private static bool? Flag(Func<string, string?> environment, string name) => environment(name) switch
    {
        null or "" => null,
        "true" or "1" => true,
        "false" or "0" => false,
        var other => throw new BootstrapException($"The environment's {name} is '{other}'; write 'true' or 'false'."),
    };

    /// <summary>Whole seconds, with or without the unit: <c>5</c>, <c>5s</c>.</summary>
    private static TimeSpan? Seconds(Func<string, string?> environment, string name)
    {
        var text = environment(name);
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return int.TryParse(text.EndsWith('s') ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : throw new BootstrapException($"The environment's {name} is '{text}'; write whole seconds like '5s'.");
    }
}
