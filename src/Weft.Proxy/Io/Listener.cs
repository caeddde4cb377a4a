// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>
/// A listening socket of one loop. Before <see cref="Begin"/>, and while paused, connections wait in the kernel's queue. Where the system has no
/// descriptor or memory for another connection, or the acceptor no room, it rests for <see cref="RestMs"/> instead of asking again at once.
/// </summary>
internal abstract class Listener : ITimerOwner
{
    /// <summary>How long a listener rests before it looks again whether there is room for a connection.</summary>
    internal const int RestMs = 100;

    private readonly LoopTimer _rest;
    private bool _begun;
    private bool _paused;

    private protected Listener(EventLoop loop, int fd, IAcceptor acceptor)
    {
        Loop = loop;
        Fd = fd;
        Acceptor = acceptor;
        Address = SocketSettings.LocalAddress(fd);
        _rest = new LoopTimer(this);
    }

    internal IpEndpoint Address { get; }

    /// <summary>-1 once it is closed.</summary>
    internal int Fd { get; private set; }

    private protected EventLoop Loop { get; }

    private protected IAcceptor Acceptor { get; }

    private protected bool IsTaking { get; private set; }

    /// <summary>Takes connections from now on.</summary>
    internal void Begin()
    {
        _begun = true;
        Follow();
    }

    /// <summary>Leaves new connections in the kernel's queue until <see cref="Resume"/>.</summary>
    internal void Pause()
    {
        _paused = true;
        Follow();
    }

    internal void Resume()
    {
        _paused = false;
        Follow();
    }

    /// <summary>Takes no more connections; those that were taken stay.</summary>
    internal void Close()
    {
        if (Fd < 0)
        {
            return;
        }

        Loop.Timers.Stop(_rest);
        IsTaking = false;
        var fd = Fd;
        Fd = -1;
        CloseDescriptor(fd);
    }

    public void OnTimer(LoopTimer timer)
    {
        if (Acceptor.IsFull)
        {
            Rest();
        }
        else
        {
            Follow();
        }
    }

    /// <summary>The system gave a connection.</summary>
    private protected void OnTaken(int fd, IpEndpoint peer)
    {
        Acceptor.OnAccepted(Loop, fd, peer);
        if (Acceptor.IsFull && Fd >= 0)
        {
            Rest();
        }
    }

    /// <summary>False, and it rests, where the acceptor has no room.</summary>
    private protected bool HasRoom()
    {
        if (Acceptor.IsFull)
        {
            Rest();
        }

        return IsTaking;
    }

    /// <summary>The system could not give a connection.</summary>
    private protected void OnRefused(int error)
    {
        if (error is Libc.ETooManyFiles or Libc.ETableFull or Libc.ENoMemory or Libc.ENoBuffers && Fd >= 0)
        {
            Acceptor.OnAcceptFailed(error);
            Rest();
        }
    }

    private protected abstract void StartTaking();

    private protected abstract void StopTaking();

    private protected abstract void CloseDescriptor(int fd);

    private void Rest()
    {
        Loop.Timers.Start(_rest, Loop.Now + RestMs);
        Follow();
    }

    private void Follow()
    {
        var shall = _begun && !_paused && !_rest.IsRunning && Fd >= 0;
        if (shall == IsTaking)
        {
            return;
        }

        IsTaking = shall;
        if (shall)
        {
            StartTaking();
        }
        else
        {
            StopTaking();
        }
    }
}

/// <summary>Gets accepted connections. The descriptor is the acceptor's from then on.</summary>
internal interface IAcceptor
{
    void OnAccepted(EventLoop loop, int fd, IpEndpoint peer);

    /// <summary>There is no room for another connection at the moment.</summary>
    bool IsFull { get; }

    /// <summary>A connection waits that the system has no descriptor or memory for; it will be asked for again.</summary>
    void OnAcceptFailed(int error);
}
