// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers.Nodes;
using Weft.Local.Machines;
using Weft.Local.Network;
using Xunit;

namespace Weft.Local.Tests.Machines;

/// <summary>The parts of a link between machines; the whole of it runs in a scenario.</summary>
public sealed class MachineTests
{
    private static readonly IPNetwork _range = IPNetwork.Parse("10.244.240.0/20");

    [Fact]
    public void Packets_arrive_whole_however_the_stream_is_cut_and_only_from_addresses_of_their_machine()
    {
        var peer = new PacketPeer(_range);
        byte[] stream = [.. Framed(Packet("10.244.240.7", "10.244.0.2", 60)), 0, 0, .. Framed(Packet("10.244.0.9", "10.244.0.2", 40)), .. Framed([0x60, 1, 2]), .. Framed(Packet("10.244.255.1", "10.244.0.2", 1500))];
        for (var cut = 0; cut <= stream.Length; cut += 7)
        {
            var arrived = new List<int>();
            var used = peer.Take(stream.AsMemory(0, cut), packet => arrived.Add(packet.Length));
            used += peer.Take(stream.AsMemory(used), packet => arrived.Add(packet.Length));
            Assert.Equal(stream.Length, used);
            Assert.Equal([60, 1500], arrived);
        }
    }

    [Fact]
    public void Packets_of_version_6_arrive_from_addresses_of_their_machine_only()
    {
        var peer = new PacketPeer(_range, IPNetwork.Parse("fd00:10:244:f::/64"));
        byte[] stream =
        [
            .. Framed(Packet6("fd00:10:244:f::7", "fd00:10:244::2", 60)), .. Framed(Packet6("fd00:10:244::7", "fd00:10:244::2", 61)),
            .. Framed(Packet6("::ffff:10.244.240.7", "fd00:10:244::2", 62)), .. Framed(Packet("10.244.240.7", "10.244.0.2", 63)),
        ];
        var arrived = new List<int>();
        Assert.Equal(stream.Length, peer.Take(stream, packet => arrived.Add(packet.Length)));
        Assert.Equal([60, 63], arrived);
        Assert.True(peer.Has(PacketPeer.Destination(Packet6("::1", "fd00:10:244:f:ffff::", 40))!.Value));
        Assert.False(peer.Has(PacketPeer.Destination(Packet6("::1", "fd00:10:244:e::1", 40))!.Value));
        Assert.True(new PacketPeer(IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")).Has(PacketPeer.Destination(Packet6("::1", "fd00::1", 40))!.Value));
        Assert.False(new PacketPeer(IPNetwork.Parse("0.0.0.0/0")).Has(PacketPeer.Destination(Packet6("::1", "fd00::1", 40))!.Value));
    }

    [Fact]
    public void A_packet_that_no_link_carries_breaks_the_stream()
    {
        byte[] stream = [0x05, 0xdd, 0, 0];
        var error = Assert.Throws<IOException>(() => new PacketPeer(_range).Take(stream, _ => { }));
        Assert.Equal("A packet of 1501 bytes came; the largest is 1500.", error.Message);
    }

    [Fact]
    public async Task Two_peers_hand_each_other_packets_and_lose_what_nobody_takes()
    {
        var path = Path.Combine(Path.GetTempPath(), $"weft-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var left = new NetworkStream(client, ownsSocket: true);
        await using var right = new NetworkStream(await listener.AcceptAsync(), ownsSocket: true);
        File.Delete(path);
        PacketPeer hub = new(_range), spoke = new(IPNetwork.Parse("0.0.0.0/0"));
        for (var i = 0; i < PacketPeer.MaxWaiting + 10; i++)
        {
            spoke.Send(Packet("10.244.240.7", "10.244.0.2", 100));
        }

        var count = 0;
        var all = new TaskCompletionSource();
        using var stop = new CancellationTokenSource();
        var running = hub.RunAsync(right, _ => { if (++count == PacketPeer.MaxWaiting) { all.SetResult(); } }, stop.Token);
        var sending = spoke.RunAsync(left, _ => { }, stop.Token);
        await all.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.Equal(PacketPeer.MaxWaiting, count);
        Assert.Null(PacketPeer.Destination([0x50, .. new byte[40]]));
        Assert.Null(PacketPeer.Destination([0x60, .. new byte[38]]));
        Assert.True(hub.Has(PacketPeer.Destination(Packet("10.0.0.1", "10.244.255.255", 20))!.Value));
        Assert.False(hub.Has(PacketPeer.Destination(Packet("10.0.0.1", "10.244.0.1", 20))!.Value));
    }

    [Theory]
    [InlineData("abcdef.0123456789abcdef.da52128638ab261211ac967af4477e12a8a3dcc9ce023f2900de83cbfe9fa2e1", true)]
    [InlineData("abcdef.0123456789abcdef", false)]
    [InlineData("abcdef.0123456789abcdef.da52", false)]
    [InlineData("ABCDEF.0123456789abcdef.da52128638ab261211ac967af4477e12a8a3dcc9ce023f2900de83cbfe9fa2e1", false)]
    [InlineData("", false)]
    public void A_token_has_three_parts(string text, bool right)
    {
        Assert.Equal(right, JoinToken.TryParse(text, out var token));
        Assert.Equal(right ? text : null, token?.ToString());
    }

    [Fact]
    public void Machines_get_the_last_free_range_and_there_are_sixteen()
    {
        var nodes = new List<JsonObject> { Node("10.244.0.0/20"), Node(null) };
        Assert.Equal("10.244.240.0/20", NodeRanges.Free(nodes)?.PodRange);
        nodes.Add(Node("10.244.240.0/20"));
        Assert.Equal("10.244.224.0/20", NodeRanges.Free(nodes)?.PodRange);
        nodes.AddRange(Enumerable.Range(1, 14).Select(i => Node($"10.244.{i * 16}.0/20")));
        Assert.Null(NodeRanges.Free(nodes));
        Assert.Equal(15, NodePlace.Of("desk", "10.244.240.0/20", null).Number);
        Assert.Throws<FormatException>(() => NodePlace.Of("desk", "10.0.0.0/20", null));
    }

    [Fact]
    public void A_machine_gets_the_families_that_the_others_have()
    {
        var node = Node("10.244.0.0/20");
        Assert.Equal(["10.244.240.0/20"], NodeRanges.Free([node])!.PodRanges);
        node["spec"]!["podCIDRs"] = new JsonArray("10.244.0.0/20", "fd00:10:244::/64");
        Assert.Equal(["10.244.240.0/20", "fd00:10:244:f::/64"], NodeRanges.Free([node])!.PodRanges);
    }

    [Fact]
    public void A_pod_names_its_config_maps_and_secrets_wherever_they_are()
    {
        var pod = JsonNode.Parse("""
            {"metadata":{"name":"p","namespace":"shop"},"spec":{
             "volumes":[{"secret":{"secretName":"a"}},{"projected":{"sources":[{"configMap":{"name":"b"}},{"secret":{"name":"c"}}]}}],
             "containers":[{"envFrom":[{"configMapRef":{"name":"d"}}],"env":[{"valueFrom":{"secretKeyRef":{"name":"e","key":"k"}}}]}]}}
            """)!.AsObject();
        Assert.Equal("a b c d e", string.Join(' ', NamedObjects.Of(pod).Select(o => o.Name).Order(StringComparer.Ordinal)));
        Assert.Equal("b d", string.Join(' ', NamedObjects.Of(pod).Where(o => o.Kind == Kinds.ConfigMap).Select(o => o.Name).Order(StringComparer.Ordinal)));
    }

    private static JsonObject Node(string? range) => new() { ["spec"] = new JsonObject { ["podCIDR"] = range } };

    private static byte[] Packet(string from, string to, int length)
    {
        var packet = new byte[length];
        packet[0] = 0x45;
        IPAddress.Parse(from).GetAddressBytes().CopyTo(packet, 12);
        IPAddress.Parse(to).GetAddressBytes().CopyTo(packet, 16);
        return packet;
    }

    private static byte[] Packet6(string from, string to, int length)
    {
        var packet = new byte[length];
        packet[0] = 0x60;
        IPAddress.Parse(from).GetAddressBytes().CopyTo(packet, 8);
        IPAddress.Parse(to).GetAddressBytes().CopyTo(packet, 24);
        return packet;
    }

    private static byte[] Framed(byte[] packet)
    {
        var framed = new byte[packet.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)packet.Length);
        packet.CopyTo(framed, 2);
        return framed;
    }
}
