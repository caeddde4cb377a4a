// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Cli.Output;

namespace Weft.Cli.Meshes;

/// <summary>Settings of the node that <c>weft up</c> passes on in the environment; for tests and measurements.</summary>
internal static class NodeSettings
{
    public const string LifetimeVariable = "WEFT_CERTIFICATE_SECONDS";
    public const string IoVariable = "WEFT_PROXY_IO";

    private const int DefaultLifetimeSeconds = 24 * 60 * 60;
    private const int LeastLifetimeSeconds = 10;

    /// <summary>How long a proxy's certificate lives; it is renewed at about half of that.</summary>
    public static TimeSpan CertificateLifetime()
    {
        var text = Environment.GetEnvironmentVariable(LifetimeVariable);
        if (string.IsNullOrEmpty(text))
        {
            return TimeSpan.FromSeconds(DefaultLifetimeSeconds);
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds >= LeastLifetimeSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw new CommandException(ExitCode.WrongUsage, $"{LifetimeVariable} is '{text}'; write seconds, at least {LeastLifetimeSeconds}.");
    }

    /// <summary>The proxies' I/O back end.</summary>
    public static string ProxyIo() => Environment.GetEnvironmentVariable(IoVariable) switch
    {
        null or "" => "auto",
        "auto" or "uring" or "epoll" => Environment.GetEnvironmentVariable(IoVariable)!,
        var other => throw new CommandException(ExitCode.WrongUsage, $"{IoVariable} is '{other}'; write auto, uring or epoll."),
    };
}
