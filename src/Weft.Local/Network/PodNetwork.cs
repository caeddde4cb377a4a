// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using Weft.Local.Processes;

namespace Weft.Local.Network;

/// <summary>
/// A pod's network namespace with its address. It is held open by a small waiting process, which ends when this object (or this
/// whole process) does; the kernel then removes the namespace with its links, routes and rules.
/// </summary>
internal sealed class PodNetwork : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly Process _holder;

    private PodNetwork(Process holder, IPAddress address, string hostLink, NodePlace node)
    {
        _holder = holder;
        Address = address;
        Address6 = node.Pair(address);
        HostLink = hostLink;
        Node = node;
    }

    public IPAddress Address { get; }

    /// <summary>Null where pods have one family only.</summary>
    public IPAddress? Address6 { get; }

    /// <summary>The first family first.</summary>
    public IReadOnlyList<string> Addresses => Address6 is { } six ? [Address.ToString(), six.ToString()] : [Address.ToString()];

    public NodePlace Node { get; }

    /// <summary>The end of the pod's link on the node's side, a port of the bridge.</summary>
    public string HostLink { get; }

    /// <summary>The path by which other processes enter the namespace.</summary>
    public string NamespaceFile => $"/proc/{_holder.Id}/ns/net";

    /// <summary>Makes the namespace, its link to the bridge, its address and its default route.</summary>
    public static async Task<PodNetwork> OpenAsync(IPAddress address, NodePlace node, CancellationToken ct)
    {
        var bytes = address.GetAddressBytes();
        var link = $"veth{bytes[2]}.{bytes[3]}";

        // The pod's side makes the link and puts the other end into the node's namespace (named by this process).
        var script = $"""
            set -e
            for f in all default; do
                if [ -e /proc/sys/net/ipv6/conf/$f ]; then
                    echo {(node.HasVersion6 ? 0 : 1)} > /proc/sys/net/ipv6/conf/$f/disable_ipv6
                    for s in accept_dad accept_ra accept_redirects; do echo 0 > /proc/sys/net/ipv6/conf/$f/$s; done
                fi
            done
            echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
            echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range 2>/dev/null || echo "0 0" > /proc/sys/net/ipv4/ping_group_range
            ip -batch - <<END
            link set lo up
            link add eth0 type veth peer name {link} netns {Environment.ProcessId}
            addr add {address}/32 dev eth0
            link set eth0 up
            route add default via {node.Address} dev eth0 onlink
            {(node.Pair(address) is { } six ? Version6(six, node) : "")}
            END
            echo ready
            exec cat
            """;
        var start = new ProcessStartInfo(Programs.Require("unshare"), ["--net", "sh", "-c", script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = Programs.SearchPath;
        var network = new PodNetwork(Process.Start(start)!, address, link, node);
        try
        {
            await network.BecomeReadyAsync(ct);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Of the loopback's two the second is where a sidecar's connections to its application come from.</summary>
    private static string Version6(IPAddress address, NodePlace node) => $"""
        addr add {IpWords.Six.ProxyToApplication}/128 dev lo nodad
        addr add {address}/128 dev eth0 nodad
        route add default via {node.Address6} dev eth0 onlink
        """;

    /// <summary>Runs a command of the host inside the namespace.</summary>
    public Task<RunOnce.Result> RunAsync(string program, IReadOnlyList<string> arguments, string input, CancellationToken ct) =>
        RunOnce.TryAsync("nsenter", [$"--net={NamespaceFile}", Programs.Require(program), .. arguments], input, ct);

    public async ValueTask DisposeAsync()
    {
        // The link goes first: the namespace itself may live on for a moment while its last sockets close.
        _ = await RunOnce.TryAsync("ip", ["link", "del", HostLink], "", CancellationToken.None);
        _holder.StandardInput.Close();
        using var limit = new CancellationTokenSource(_patience);
        try
        {
            await _holder.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _holder.Kill();
        }

        _holder.Dispose();
    }

    private async Task BecomeReadyAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        var line = await _holder.StandardOutput.ReadLineAsync(limit.Token);
        if (line != "ready")
        {
            var errors = await _holder.StandardError.ReadToEndAsync(limit.Token);
            throw new InvalidOperationException($"The pod's network {Address} could not be set up: {errors.Trim()}");
        }

        await RunOnce.RunAsync("ip", ["-batch", "-"], $"link set {HostLink} master {Node.Bridge} up\n", limit.Token);
    }
}
