// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Network;
using Weft.Local.Processes;

namespace Weft.Local.Machines;

/// <summary>
/// The pods' network across machines. Each machine that joined has one stream to the first, which hands packets between them; the kernel of
/// each leads what is not for its own pods to the device.
/// </summary>
internal sealed partial class PacketLinks(KubernetesClient client, LocalNodeOptions options)
{
    private const int MaxNameBytes = 254;

    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, PacketPeer> _peers = new(StringComparer.Ordinal);
    private PacketDevice? _device;

    /// <summary>On the first machine: takes the streams of the others, until cancelled.</summary>
    public async Task ServeAsync(CancellationToken ct)
    {
        var device = await OpenAsync(ct);
        File.Delete(options.Home.LinkSocket);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(options.Home.LinkSocket));
        File.SetUnixFileMode(options.Home.LinkSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(NodePlace.MaxNodes);
        while (true)
        {
            _ = ServeAsync(device, await listener.AcceptAsync(ct), ct);
        }
    }

    /// <summary>On a machine that joined: keeps its stream open, until cancelled.</summary>
    public async Task DialAsync(CancellationToken ct)
    {
        var device = await OpenAsync(ct);
        while (true)
        {
            try
            {
                await using var stream = new NetworkStream(
                    await Relays.Dialling.ConnectAsync(new UnixDomainSocketEndPoint(options.Home.LinkSocket), ct), ownsSocket: true);
                await CarryAsync("", [IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")], device, stream, ct);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                LogDown(options.Log, "the first machine", e.Message);
            }

            await Task.Delay(_retry, options.Time, ct);
        }
    }

    private async Task<PacketDevice> OpenAsync(CancellationToken ct)
    {
        if (_device is null)
        {
            var device = PacketDevice.Open();
            await RunOnce.RunAsync("ip", ["-batch", "-"], $"""
                link set {PacketDevice.Name} mtu {PacketDevice.LargestPacket} up
                route add {NodeNetwork.PodRange} dev {PacketDevice.Name} src {options.Nodes[0].Address}
                {(options.Nodes[0].Address6 is { } six ? $"route add {NodeNetwork.PodRange6} dev {PacketDevice.Name} src {six}" : "")}

                """, ct);
            _device = device;

            // A thread and blocking reads: the device knows no other way that costs nothing while nobody talks.
            new Thread(() => Distribute(device)) { IsBackground = true, Name = "packets" }.Start();
        }

        return _device;
    }

    private void Distribute(PacketDevice device)
    {
        var packet = new byte[PacketDevice.LargestPacket];
        while (true)
        {
            int length;
            try
            {
                length = device.Read(packet);
            }
            catch (IOException e)
            {
                LogDown(options.Log, PacketDevice.Name, e.Message);
                return;
            }

            if (PacketPeer.Destination(packet.AsSpan(0, length)) is { } target)
            {
                foreach (var (_, peer) in _peers)
                {
                    if (peer.Has(target))
                    {
                        peer.Send(packet.AsSpan(0, length));
                        break;
                    }
                }
            }
        }
    }

    private async Task ServeAsync(PacketDevice device, Socket socket, CancellationToken ct)
    {
        var node = "?";
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            node = await ReadNameAsync(stream, ct);
            var known = await client.GetAsync(Kinds.Node, null, node, ct);
            List<string> ranges = [.. known.Texts("spec", "podCIDRs")];
            if (ranges.Count == 0)
            {
                ranges.Add(known.Text("spec", "podCIDR") ?? throw new FormatException($"node {node} has no addresses yet"));
            }

            await CarryAsync(node, [.. ranges.Select(range => IPNetwork.Parse(range))], device, stream, ct);
            LogDown(options.Log, node, "it closed the link");
        }
        catch (Exception e) when (e is IOException or SocketException or FormatException or KubernetesException or HttpRequestException)
        {
            LogDown(options.Log, node, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The end of this machine.
        }
    }

    private async Task CarryAsync(string name, IReadOnlyList<IPNetwork> ranges, PacketDevice device, Stream stream, CancellationToken ct)
    {
        // The newest stream of a machine counts: an older one may be one that nobody has noticed to be dead.
        var peer = new PacketPeer(ranges);
        _peers[name] = peer;
        LogUp(options.Log, name.Length == 0 ? "the first machine" : name);
        try
        {
            await peer.RunAsync(stream, packet => device.Write(packet.Span), ct);
        }
        finally
        {
            _peers.TryRemove(KeyValuePair.Create(name, peer));
        }
    }

    private static async Task<string> ReadNameAsync(Stream stream, CancellationToken ct)
    {
        var name = new byte[MaxNameBytes];
        for (var length = 0; length < name.Length; length++)
        {
            if (await stream.ReadAsync(name.AsMemory(length, 1), ct) == 0)
            {
                break;
            }

            if (name[length] == '\n')
            {
                return Encoding.ASCII.GetString(name, 0, length);
            }
        }

        throw new FormatException("a link did not say whose it is");
    }

    [LoggerMessage(5601, LogLevel.Information, "The link to {Machine} is up.")]
    private static partial void LogUp(ILogger log, string machine);

    [LoggerMessage(5602, LogLevel.Warning, "The link to {Machine} is down: {Reason}")]
    private static partial void LogDown(ILogger log, string machine, string reason);
}
