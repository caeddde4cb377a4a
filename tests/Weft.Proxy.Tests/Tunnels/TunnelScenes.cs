// SPDX-License-Identifier: Apache-2.0

using Xunit;

namespace Weft.Proxy.Tests.Tunnels;

/// <summary>How an opaque connection passes and ends, whatever it travels in.</summary>
internal static class TunnelScenes
{
    private const int Much = 1_000_000;

    /// <summary>Speaks first, hears the whole client, and says at its end how much that was, and much more.</summary>
    internal static TestOrigin Counting() => new(peer =>
    {
        peer.Write("220 ready");
        peer.Write($" {peer.ReadToEnd().Length} ");
        peer.Write(new string('y', Much));
    });

    /// <summary>The client ends first and hears the whole answer of a <see cref="Counting"/> server.</summary>
    internal static void EndTheClientFirst(int port)
    {
        using var client = Peer.Connect(port);
        Assert.Equal("220 ready", client.Read(9));
        client.Write(new string('x', Much));
        client.EndOutput();
        Assert.Equal($" {Much} ", client.Read(9));
        Assert.Equal(Much, client.ReadToEnd().Length);
    }

    /// <summary>The server ends first and hears the whole rest.</summary>
    internal static void EndTheServerFirst(Func<TestOrigin, (IDisposable Proxies, int Port)> start)
    {
        var heard = new Heard<int>();
        using var origin = new TestOrigin(peer =>
        {
            peer.Write("go");
            peer.EndOutput();
            heard.Set(peer.ReadToEnd().Length);
        });
        var (proxies, port) = start(origin);
        using (proxies)
        {
            using var client = Peer.Connect(port);
            Assert.Equal("go", client.ReadToEnd());
            client.Write(new string('x', Much));
            client.EndOutput();
            Assert.Equal(Much, heard.Wait());
        }
    }
}
