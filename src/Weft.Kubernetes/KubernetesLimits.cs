// SPDX-License-Identifier: Apache-2.0

namespace Weft.Kubernetes;

/// <summary>How much a client takes from the API before it says that something is wrong.</summary>
public sealed record KubernetesLimits
{
    public static KubernetesLimits Default { get; } = new();

    /// <summary>One event of a watch. etcd's default keeps objects below 1.5 MiB; the embedded server does too.</summary>
    public int MaxWatchLineBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>One answer, lists included.</summary>
    public int MaxResponseBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>Nesting of JSON.</summary>
    public int MaxDepth { get; init; } = 256;

    /// <summary>How long one request other than a watch may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the server is asked to keep one watch open; the informer then goes on with a new one.</summary>
    public TimeSpan WatchDuration { get; init; } = TimeSpan.FromMinutes(8);
}
