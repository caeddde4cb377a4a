// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Local.Outside;
using Weft.Local.Relays;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Outside;

public sealed class OutsideTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-out-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_home_with_a_long_path_keeps_its_sockets_elsewhere()
    {
        var home = MeshHome.Open(Path.Combine(_folder, new string('x', 120)));
        Assert.True(Encoding.UTF8.GetByteCount(home.ControlSocket) < 108, home.ControlSocket);
        Assert.Equal(home.Run, new DirectoryInfo(Path.Combine(home.Root, "run")).LinkTarget);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(home.ControlSocket));
        Assert.Equal(home.Run, MeshHome.Open(home.Root).Run);
        Directory.Delete(home.Run, recursive: true);
    }

    [Fact]
    public async Task The_way_to_a_store_says_first_that_it_has_reached_it_and_ends_at_once_when_it_cannot()
    {
        var home = MeshHome.Open(_folder);
        using var store = new TcpListener(IPAddress.Loopback, 0);
        store.Start();
        using var shut = new TcpListener(IPAddress.Loopback, 0);
        shut.Start();
        var shutPort = ((IPEndPoint)shut.LocalEndpoint).Port;
        shut.Stop();
        using var relay = new StoreRelay(
            home, [new DnsEndPoint("localhost", ((IPEndPoint)store.LocalEndpoint).Port), new DnsEndPoint("127.0.0.1", shutPort)], NullLogger.Instance);
        var one = new byte[1];
        using var open = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await open.ConnectAsync(new UnixDomainSocketEndPoint(home.StoreSocket(0)));
        using var accepted = await store.AcceptSocketAsync();
        Assert.Equal(1, await open.ReceiveAsync(one));
        await open.SendAsync("q"u8.ToArray());
        Assert.Equal(1, await accepted.ReceiveAsync(one));
        Assert.Equal((byte)'q', one[0]);

        using var closed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await closed.ConnectAsync(new UnixDomainSocketEndPoint(home.StoreSocket(1)));
        Assert.Equal(0, await closed.ReceiveAsync(one));
    }

    [Fact]
    public async Task A_wished_port_that_is_taken_is_replaced_and_bytes_flow_both_ways_with_half_close()
    {
        var home = MeshHome.Open(_folder);
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var wished = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var inner = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        inner.Bind(new UnixDomainSocketEndPoint(home.RelaySocket));
        inner.Listen();
        using var relay = new PortRelay(home, [], TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var running = relay.RunAsync(stop.Token);
        Forward.Write(home.Forwards, [new Forward("shop/web:80", [wished], "10.96.3.4:80", "http")]);
        await Eventually.HoldsAsync("the port is open", () => Task.FromResult(relay.OpenPorts.Count == 1));
        var port = relay.OpenPorts[0];
        Assert.NotEqual(wished, port.Port);
        Assert.Equal([port], OpenPort.Read(home.OpenPorts));

        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port.Port);
        await using var back = client.GetStream();
        client.Client.Send("question"u8);
        client.Client.Shutdown(SocketShutdown.Send);
        using var accepted = await inner.AcceptAsync();
        Assert.Equal("10.96.3.4:80", (await RelayHeader.ReadAsync(accepted, default)).ToString());
        await using var stream = new NetworkStream(accepted);
        using var reader = new StreamReader(stream);
        Assert.Equal("question", await reader.ReadToEndAsync());
        await stream.WriteAsync("answer"u8.ToArray());
        accepted.Shutdown(SocketShutdown.Send);
        using var answer = new StreamReader(back);
        Assert.Equal("answer", await answer.ReadToEndAsync());

        Forward.Write(home.Forwards, []);
        await Eventually.HoldsAsync("the port is closed", () => Task.FromResult(relay.OpenPorts.Count == 0));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public void Owners_have_an_address_alone_with_their_own_ports_and_keep_it()
    {
        var home = MeshHome.Open(_folder);
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var number = ((IPEndPoint)free.LocalEndpoint).Port;
        Forward Of(string owner, int port) => new($"{owner}:{port}", [], $"10.96.3.4:{port}", "tcp") { Owner = owner, OwnPort = port };
        using var own = new OwnAddresses(home, NullLogger.Instance);
        own.Apply([Of("shop/a", number), Of("shop/b", number), Of("shop/c", number)]);
        string?[] first = [own.Find("shop/a")?.ToString(), own.Find("shop/b")?.ToString(), own.Find("shop/c")?.ToString()];
        Assert.Equal(3, first.Where(a => a?.StartsWith("127.77.", StringComparison.Ordinal) == true).Distinct(StringComparer.Ordinal).Count());

        // One goes, one gets another port, and the address stays as the name says; another mesh that wants the same gets the next.
        own.Apply([Of("shop/a", number), Of("shop/b", number + 1)]);
        Assert.Equal((first[0], first[1]), (own.Find("shop/a")?.ToString(), own.Find("shop/b")?.ToString()));
        Assert.Null(own.Find("shop/c"));
        using var other = new OwnAddresses(home, NullLogger.Instance);
        other.Apply([Of("shop/a", number)]);
        Assert.NotEqual(first[0], other.Find("shop/a")!.ToString());
        using var client = new TcpClient();
        client.Connect(own.Find("shop/b")!, number + 1);
    }

    [Fact]
    public async Task A_relay_closes_connections_beyond_its_limit()
    {
        using var stop = new CancellationTokenSource();
        using var relay = RelayListener.Open(
            new IPEndPoint(IPAddress.Loopback, 0),
            async (_, ct) =>
            {
                await Task.Delay(Timeout.Infinite, ct);
                return null;
            },
            NullLogger.Instance,
            maxConnections: 2);
        var running = relay.RunAsync(stop.Token);
        using TcpClient one = new(), two = new(), three = new();
        foreach (var client in new[] { one, two, three })
        {
            await client.ConnectAsync(IPAddress.Loopback, relay.Port);
        }

        Assert.Equal(0, await three.GetStream().ReadAsync(new byte[1]));
        Assert.False(one.Client.Poll(0, SelectMode.SelectRead));
        await stop.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData("CONNECT 10.96.3.4:80", true)]
    [InlineData("CONNECT 10.96.3.4", false)]
    [InlineData("CONNECT [fd00:10:96::5]:80", true)]
    [InlineData("CONNECT fd00:10:96::5", false)]
    [InlineData("GET / HTTP/1.1", false)]
    public void A_relay_header_names_an_address_and_port(string line, bool valid)
    {
        if (valid)
        {
            Assert.Equal(line["CONNECT ".Length..], RelayHeader.Parse(line).ToString());
        }
        else
        {
            Assert.Throws<FormatException>(() => RelayHeader.Parse(line));
        }
    }

    [Theory]
    [InlineData("{", "is not JSON")]
    [InlineData("{}", "has no list 'forwards'")]
    [InlineData("""{"forwards":[{"name":"x"}]}""", "needs 'name' and 'target'")]
    public void A_broken_forwards_file_is_named(string text, string message)
    {
        var file = Path.Combine(_folder, "forwards.json");
        File.WriteAllText(file, text);
        Assert.Contains(message, Assert.Throws<FormatException>(() => Forward.Read(file)).Message, StringComparison.Ordinal);
    }
}
