// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Local.Machines;
using Weft.Local.Network;

namespace Weft.Local;

/// <summary>What a <see cref="LocalNode"/> needs from the composition root.</summary>
public sealed class LocalNodeOptions
{
    public required MeshHome Home { get; init; }

    /// <summary>Programs that run beside the node and are restarted when they die; started in this order, stopped in the reverse one.</summary>
    public required IReadOnlyList<ChildCommand> Children { get; init; }

    /// <summary>Loops that run inside the node's process (the workload controllers); restarted when they fail.</summary>
    public IReadOnlyList<NodeLoop> Loops { get; init; } = [];

    /// <summary>The nodes of this machine; the first has the control plane.</summary>
    public IReadOnlyList<NodePlace> Nodes { get; init; } = NodePlace.Plan(1, []);

    /// <summary>Set on a machine that joined a mesh whose control plane is elsewhere.</summary>
    public Machine? Joined { get; init; }

    /// <summary>Whether other machines may join: their pods' packets come in by <see cref="MeshHome.LinkSocket"/>.</summary>
    public bool TakesMachines { get; init; }

    /// <summary>The folder of <c>weft-proxy</c> and <c>weft-sample</c> (WEFT_BIN), added to PATH of containers.</summary>
    public required string BinFolder { get; init; }

    /// <summary>The trust domain of certificates, for the proxies' bootstrap.</summary>
    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>How long a proxy's certificate lives.</summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The proxies' I/O back end: <c>auto</c>, <c>uring</c> or <c>epoll</c>.</summary>
    public string ProxyIo { get; init; } = "auto";

    /// <summary>Whether proxies write an access log to their output.</summary>
    public bool AccessLog { get; init; } = true;

    public required TimeProvider Time { get; init; }

    public required Random Random { get; init; }

    public required ILogger Log { get; init; }
}

/// <summary>A program that runs beside the node; its output goes to <c>logs/NAME.log</c>.</summary>
public sealed record ChildCommand(string Name, string Program, IReadOnlyList<string> Arguments);

/// <summary>A background loop with the name it has in the log.</summary>
public sealed record NodeLoop(string Name, Func<CancellationToken, Task> RunAsync);
