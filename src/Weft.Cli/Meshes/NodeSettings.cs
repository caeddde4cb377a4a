// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Weft.Cli.Output;
using Weft.Local.Network;

namespace Weft.Cli.Meshes;

/// <summary>Settings of the node that <c>weft up</c> passes on in the environment; for tests and measurements.</summary>
internal static partial class NodeSettings
{
    public const string LifetimeVariable = "WEFT_CERTIFICATE_SECONDS";
    public const string IoVariable = "WEFT_PROXY_IO";

    public const string NodesVariable = "WEFT_NODES";
    public const string ZonesVariable = "WEFT_ZONES";

    /// <summary>Where other machines reach the API server, as <c>weft up --listen</c> passes it on.</summary>
    public const string ListenVariable = "WEFT_LISTEN";

    /// <summary>Which families of addresses pods and services have, as <c>weft up --ip-family</c> passes it on.</summary>
    public const string FamilyVariable = "WEFT_IP_FAMILY";

    private const int DefaultListenPort = 6443;

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

    /// <summary>The nodes of this machine, as <c>weft up --nodes N --zones A,B</c> passes them on.</summary>
    public static IReadOnlyList<NodePlace> Nodes() => Plan(
            Environment.GetEnvironmentVariable(NodesVariable) is { Length: > 0 } count ? count : "1", Environment.GetEnvironmentVariable(ZonesVariable) ?? "")
        .Select(node => node with { HasVersion6 = HasVersion6() }).ToList();

    /// <summary>Whether pods and services have addresses of version 6, too.</summary>
    public static bool HasVersion6() => ParseFamily(Environment.GetEnvironmentVariable(FamilyVariable));

    /// <summary>What nobody says follows from the kernel.</summary>
    public static bool ParseFamily(string? text)
    {
        var exists = Directory.Exists("/proc/sys/net/ipv6/conf/all");
        return text switch
        {
            null or "" => exists,
            "ipv4" => false,
            "dual" when exists => true,
            "dual" => throw new CommandException(ExitCode.WrongUsage, "--ip-family dual: this kernel has no IPv6.", "Leave it out, or start the machine without ipv6.disable=1."),
            _ => throw new CommandException(ExitCode.WrongUsage, $"--ip-family: '{text}' is none.", "Write dual or ipv4: pods have an IPv4 address in any case."),
        };
    }

    /// <summary>Null for a mesh of this machine alone.</summary>
    public static IPEndPoint? Listen() => ParseListen(Environment.GetEnvironmentVariable(ListenVariable));

    public static IPEndPoint? ParseListen(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (!IPEndPoint.TryParse(text, out var address) || address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any))
        {
            throw new CommandException(
                ExitCode.WrongUsage, $"--listen: '{text}' is no address of this machine.", "Name the one by which the others reach it: --listen 192.168.1.10 or --listen 192.168.1.10:6443");
        }

        return address.Port == 0 ? new IPEndPoint(address.Address, DefaultListenPort) : address;
    }

    public static IReadOnlyList<NodePlace> Plan(string count, string zones)
    {
        var names = zones.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (Array.Find(names, name => !Zone().IsMatch(name)) is { } wrong)
        {
            throw new CommandException(ExitCode.WrongUsage, $"'{wrong}' is no zone.", "Write ZONE or REGION/ZONE, with commas between them: --zones eu/a,eu/b");
        }

        return int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= NodePlace.MaxNodes
            ? NodePlace.Plan(number, names)
            : throw new CommandException(ExitCode.WrongUsage, $"'{count}' nodes: write 1 to {NodePlace.MaxNodes}.");
    }

    [GeneratedRegex("^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$")]
    private static partial Regex Zone();

    /// <summary>The proxies' I/O back end.</summary>
    public static string ProxyIo() => Environment.GetEnvironmentVariable(IoVariable) switch
    {
        null or "" => "auto",
        "auto" or "uring" or "epoll" => Environment.GetEnvironmentVariable(IoVariable)!,
        var other => throw new CommandException(ExitCode.WrongUsage, $"{IoVariable} is '{other}'; write auto, uring or epoll."),
    };
}
