// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>Makes sockets as the mesh needs them: non-blocking, without Nagle's delay, and marked so that capture lets them pass.</summary>
internal sealed unsafe class SocketSettings(int mark)
{
    /// <summary>The mark that capture rules let pass (1337).</summary>
    internal const int MeshMark = 0x539;

    private const int Backlog = 4096;

    internal int OpenListener(IpEndpoint address)
    {
        var fd = Open(address);
        if (!Libc.TrySetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1) ||
            !Libc.TrySetOption(fd, Libc.SolSocket, Libc.SoReusePort, 1))
        {
            throw CloseAndFail(fd, "SO_REUSEPORT");
        }

        // Each family has a listener of its own; one of both would take what is meant for the other's.
        if (!address.IsV4 && !Libc.TrySetOption(fd, Libc.SolIpv6, Libc.Ipv6Only, 1))
        {
            throw CloseAndFail(fd, "IPV6_V6ONLY");
        }

        var length = address.Fill(out var native);
        if (Libc.Bind(fd, &native, length) != 0)
        {
            throw CloseAndFail(fd, $"Listening at {address}");
        }

        if (Libc.Listen(fd, Backlog) != 0)
        {
            throw CloseAndFail(fd, $"Listening at {address}");
        }

        return fd;
    }

    /// <summary>An unconnected socket, bound to the source address if one is given; throws <see cref="IoException"/>.</summary>
    internal int OpenClient(IpEndpoint target, IpEndpoint source)
    {
        var fd = Open(target);
        if (!source.IsNone)
        {
            // Without this the kernel picks the port at bind time, where only 28,000 exist for all targets together.
            Libc.TrySetOption(fd, Libc.SolIp, Libc.IpBindAddressNoPort, 1);
            var length = source.Fill(out var native);
            if (Libc.Bind(fd, &native, length) != 0 && !MayGoWithout(source))
            {
                throw CloseAndFail(fd, $"Binding to {source}");
            }
        }

        return fd;
    }

    /// <summary>The address that the client asked for before capture changed it; the socket's own where nothing was changed.</summary>
    /// <param name="fd">The connection.</param>
    /// <param name="isV4">The family of its listener: each family's connections are looked up in a table of its own.</param>
    internal static IpEndpoint OriginalDestination(int fd, bool isV4)
    {
        SockAddr address;
        var length = (uint)sizeof(SockAddr);
        return Libc.GetSockOpt(fd, isV4 ? Libc.SolIp : Libc.SolIpv6, Libc.SoOriginalDestination, &address, &length) == 0
            ? IpEndpoint.From(address)
            : LocalAddress(fd);
    }

    /// <summary>Lets the kernel ask an idle peer whether it lives; 0 leaves a number to the kernel's own setting.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="idleSeconds">Before the first question.</param>
    /// <param name="intervalSeconds">Between two questions.</param>
    /// <param name="probes">Questions without an answer until the connection is given up.</param>
    internal static void KeepAlive(int fd, int idleSeconds, int intervalSeconds, int probes)
    {
        Libc.TrySetOption(fd, Libc.SolSocket, Libc.SoKeepAlive, 1);
        SetWhereGiven(fd, Libc.TcpKeepIdle, idleSeconds);
        SetWhereGiven(fd, Libc.TcpKeepInterval, intervalSeconds);
        SetWhereGiven(fd, Libc.TcpKeepCount, probes);
    }

    internal static IpEndpoint LocalAddress(int fd)
    {
        SockAddr address;
        var length = (uint)sizeof(SockAddr);
        return Libc.GetSockName(fd, &address, &length) == 0 ? IpEndpoint.From(address) : default;
    }

    internal static IpEndpoint PeerAddress(int fd)
    {
        SockAddr address;
        var length = (uint)sizeof(SockAddr);
        return Libc.GetPeerName(fd, &address, &length) == 0 ? IpEndpoint.From(address) : default;
    }

    /// <summary>
    /// Of version 6 the loopback has one address until somebody gives it more. Where nothing is captured the source means nothing to anybody;
    /// where it is, a connection from another one would come back to the proxy.
    /// </summary>
    private bool MayGoWithout(IpEndpoint source) => mark == 0 && !source.IsV4 && Libc.LastError == Libc.ENoAddress;

    private static void SetWhereGiven(int fd, int name, int value)
    {
        if (value > 0)
        {
            Libc.TrySetOption(fd, Libc.SolTcp, name, value);
        }
    }

    private int Open(IpEndpoint address)
    {
        var family = address.IsV4 ? Libc.AfInet : Libc.AfInet6;
        var fd = Libc.Socket(family, Libc.SockStream | Libc.SockNonBlock | Libc.SockCloseOnExec, 0);
        if (fd < 0)
        {
            throw IoException.Last("socket");
        }

        // Accepted connections inherit both options from their listener.
        Libc.TrySetOption(fd, Libc.SolTcp, Libc.TcpNoDelay, 1);
        if (mark != 0 && !Libc.TrySetOption(fd, Libc.SolSocket, Libc.SoMark, mark))
        {
            throw CloseAndFail(fd, "Marking a socket (SO_MARK, which needs CAP_NET_ADMIN; plain mode does without)");
        }

        return fd;
    }

    private static IoException CloseAndFail(int fd, string what)
    {
        var failure = IoException.Last(what);
        Libc.Close(fd);
        return failure;
    }
}
