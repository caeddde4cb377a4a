// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Proxy.Control;

/// <summary>What a proxy is told when it starts: who it is, where the control plane is, which ports it takes. A JSON file.</summary>
/// <remarks>Optional values have setters: the generated JSON reader would overwrite the defaults of init-only ones.</remarks>
internal sealed record Bootstrap
{
    /// <summary>The most that any of the drain times may be.</summary>
    public const int LongestDrainSeconds = 24 * 3600;

    /// <summary><c>sidecar</c> beside a workload, or <c>gateway</c> at the mesh's edge; the plan says what either does.</summary>
    public string Role { get; set; } = "sidecar";

    public required NodeSettings Node { get; init; }

    /// <summary>Null runs from <see cref="PlanCache"/> and the stored identity alone (tests, benchmarks).</summary>
    public ControlSettings? Control { get; set; }

    public required IdentitySettings Identity { get; init; }

    public PortSettings Ports { get; set; } = new();

    /// <summary>Number of loops, each a thread.</summary>
    public int Loops { get; set; } = 1;

    /// <summary><c>auto</c>, <c>uring</c> or <c>epoll</c>.</summary>
    public string Io { get; set; } = "auto";

    /// <summary>A file for the access log, usually <c>/dev/stdout</c>; empty for none.</summary>
    public string AccessLog { get; set; } = "/dev/stdout";

    /// <summary>Where the last good plan is kept; empty for nowhere.</summary>
    public string PlanCache { get; set; } = "";

    /// <summary>A name server that has a port of its own for proxies, <c>ADDRESS:PORT</c>; empty for none.</summary>
    public string NameServer { get; set; } = "";

    /// <summary>False for proxies without captured traffic: sockets carry no mark, so no privilege is needed.</summary>
    public bool MarkSockets { get; set; } = true;

    /// <summary>The most that open connections get after SIGTERM, in seconds (Istio's terminationDrainDuration).</summary>
    public int DrainSeconds { get; set; } = 5;

    /// <summary>True ends sooner, when nothing is under way any more, but not before <see cref="MinimumDrainSeconds"/>.</summary>
    public bool ExitOnZeroActiveConnections { get; set; }

    /// <summary>How long others may need to learn that this proxy is going, in seconds.</summary>
    public int MinimumDrainSeconds { get; set; } = 5;

    /// <summary>How long connections get whose listener or chain is gone from the plan, in seconds (Istio's drainDuration).</summary>
    public int ListenerDrainSeconds { get; set; } = 45;

    /// <summary>What the proxy may use before it refuses work.</summary>
    public OverloadLimits Overload { get; set; } = new();

    /// <exception cref="BootstrapException">The file is missing or not a bootstrap; the message says which and what to do.</exception>
    public static Bootstrap Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var read = JsonSerializer.Deserialize(stream, BootstrapJson.Default.Bootstrap)
                ?? throw new BootstrapException($"The bootstrap '{file}' is empty.");
            read.Check(file);
            return read;
        }
        catch (IOException exception)
        {
            throw new BootstrapException($"The bootstrap '{file}' cannot be read: {exception.Message}", exception);
        }
        catch (JsonException exception)
        {
            throw new BootstrapException($"The bootstrap '{file}' is not valid: {exception.Message}", exception);
        }
    }

    private void Check(string file)
    {
        if (Role is not ("sidecar" or "gateway"))
        {
            throw new BootstrapException($"The bootstrap '{file}' asks for the role '{Role}'; write 'sidecar' or 'gateway'.");
        }

        if (Loops is < 1 or > 256)
        {
            throw new BootstrapException($"The bootstrap '{file}' asks for {Loops} loops; write a number from 1 to 256.");
        }

        if (NameServer.Length > 0 && !System.Net.IPEndPoint.TryParse(NameServer, out _))
        {
            throw new BootstrapException($"The bootstrap '{file}' has the name server '{NameServer}'; write ADDRESS:PORT.");
        }

        CheckSeconds(file, "drainSeconds", DrainSeconds);
        CheckSeconds(file, "minimumDrainSeconds", MinimumDrainSeconds);
        CheckSeconds(file, "listenerDrainSeconds", ListenerDrainSeconds);
        if (Overload.MemoryBytes < 0 || Overload.Descriptors < 0 || Overload.LoopDelayMs < 0)
        {
            throw new BootstrapException($"The bootstrap '{file}' has a negative limit under overload; write 0 for no limit.");
        }

        if (Io is not ("auto" or "uring" or "epoll"))
        {
            throw new BootstrapException($"The bootstrap '{file}' asks for io '{Io}'; write 'auto', 'uring' or 'epoll'.");
        }
    }

    private static void CheckSeconds(string file, string name, int value)
    {
        if (value is < 0 or > LongestDrainSeconds)
        {
            throw new BootstrapException($"The bootstrap '{file}' asks for {name} {value}; write a number from 0 to {LongestDrainSeconds}.");
        }
    }
}

/// <summary>Who the proxy is, in xDS's words.</summary>
internal sealed record NodeSettings
{
    /// <summary><c>sidecar~IP~POD.NS~NS.svc.cluster.local</c>.</summary>
    public required string Id { get; init; }

    public string Cluster { get; set; } = "";

    public NodeMetadata Metadata { get; set; } = new();
}

/// <summary>The workload behind the proxy, as metrics and peers name it.</summary>
internal sealed record NodeMetadata
{
    public string Name { get; set; } = "";

    public string Namespace { get; set; } = "";

    public Dictionary<string, string> Labels { get; set; } = [];

    public string Workload { get; set; } = "";

    public string ServiceAccount { get; set; } = "";

    public string CanonicalName { get; set; } = "";

    public string CanonicalRevision { get; set; } = "";

    public string App { get; set; } = "";

    public string Version { get; set; } = "";

    public string ClusterId { get; set; } = "";

    public string PodIp { get; set; } = "";

    /// <summary>The WorkloadGroup with which a machine that is no pod registers itself; empty for none.</summary>
    public string AutoRegisterGroup { get; set; } = "";
}

/// <summary>Where the control plane is.</summary>
internal sealed record ControlSettings
{
    /// <summary><c>unix:/path</c> or <c>host:port</c>.</summary>
    public required string Address { get; init; }

    /// <summary>A file with the workload's token; read anew for every connection, because it is renewed.</summary>
    public string TokenFile { get; set; } = "";
}

/// <summary>The workload's certificate.</summary>
internal sealed record IdentitySettings
{
    public string TrustDomain { get; set; } = "cluster.local";

    /// <summary>A folder (mode 0700) for key, chain and roots, so that a restarted proxy serves at once; empty keeps them in memory.</summary>
    public string StateDirectory { get; set; } = "";

    /// <summary>What to ask the authority for; it may give less.</summary>
    public int CertificateLifetimeSeconds { get; set; } = 24 * 3600;
}

/// <summary>What the proxy may use before it refuses work; null for what the system allows, 0 for no limit.</summary>
internal sealed record OverloadLimits
{
    /// <summary>Resident memory; null takes the control group's limit.</summary>
    public long? MemoryBytes { get; set; }

    /// <summary>Open sockets and files; null takes the process's limit.</summary>
    public int? Descriptors { get; set; }

    /// <summary>How long a loop may keep ready connections waiting; null takes 2,000.</summary>
    public int? LoopDelayMs { get; set; }
}

/// <summary>The ports of ARCHITECTURE.md; 0 switches one off.</summary>
internal sealed record PortSettings
{
    public int Outbound { get; set; } = 15001;

    public int Inbound { get; set; } = 15006;

    public int Admin { get; set; } = 15000;

    public int Metrics { get; set; } = 15020;

    public int Prometheus { get; set; } = 15090;

    public int Status { get; set; } = 15021;
}

/// <summary>The bootstrap cannot be used; the message is for the operator.</summary>
internal sealed class BootstrapException(string message, Exception? inner = null) : Exception(message, inner);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(Bootstrap))]
internal sealed partial class BootstrapJson : JsonSerializerContext;
