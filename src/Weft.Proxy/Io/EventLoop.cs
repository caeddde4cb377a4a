// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>
/// One thread's input and output: sockets, timers and work posted by other threads. Everything but <see cref="Post"/> and
/// <see cref="Stop"/> is called on the loop's own thread.
/// </summary>
internal abstract unsafe class EventLoop : IDisposable
{
    /// <summary>Size of the buffers that input is read into; also the most that one callback hands over.</summary>
    internal const int ScratchSize = 64 * 1024;

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly List<IFlushable> _flushes = [];
    private readonly TimeProvider _clock;
    private readonly long _clockOrigin;
    private readonly SocketSettings _sockets;
    private readonly byte* _scratch;
    private readonly byte* _outScratch;
    private Channel? _ready;
    private Channel? _readyTail;
    private volatile bool _stopping;
    private bool _disposed;
    private int _wakePending;
    private int _longestRoundMs;
    private Action? _tellOfWork;
    private long _woken = -1;

    private protected EventLoop(LoopSettings settings)
    {
        _clock = settings.Clock;
        _clockOrigin = _clock.GetTimestamp();
        _sockets = new SocketSettings(settings.Mark);
        _scratch = (byte*)NativeMemory.AlignedAlloc(ScratchSize, 64);
        _outScratch = (byte*)NativeMemory.AlignedAlloc(2 * ScratchSize, 64);
        Timers = new TimerWheel(0);
        WakeFd = Libc.EventFd(0, Libc.SockNonBlock | Libc.SockCloseOnExec);
        if (WakeFd < 0)
        {
            throw IoException.Last("eventfd");
        }
    }

    /// <summary>The back end's name, as logs show it.</summary>
    internal abstract string Name { get; }

    /// <summary>Told of defects met while serving one connection, which is then closed; null lets them end the loop.</summary>
    internal Action<Exception>? Faulted { get; set; }

    /// <summary>Milliseconds since the loop began, read once a tick.</summary>
    internal long Now { get; private set; }

    internal TimerWheel Timers { get; }

    internal SocketSettings Sockets => _sockets;

    /// <summary>Open channels, listeners not counted.</summary>
    internal int OpenChannels { get; set; }

    internal Span<byte> Scratch => new(_scratch, ScratchSize);

    internal byte* ScratchPointer => _scratch;

    /// <summary>For one message at a time to be put together before it is written.</summary>
    internal Span<byte> OutScratch => new(_outScratch, 2 * ScratchSize);

    private protected int WakeFd { get; }

    /// <summary>Time with more precision than <see cref="Now"/>, for durations.</summary>
    internal TimeProvider Clock => _clock;

    /// <summary>Makes a listener of a listening socket, which is its own from then on. It takes nothing before <see cref="Listener.Begin"/>.</summary>
    internal abstract Listener Listen(int fd, IAcceptor acceptor);

    /// <summary>Makes a channel for a connected socket. Input begins when the handler is set and reading is resumed.</summary>
    internal abstract Channel Adopt(int fd, IByteHandler handler);

    /// <summary>Begins to connect; the handler hears OnConnected or OnFailed.</summary>
    internal abstract Channel Connect(IpEndpoint target, IpEndpoint source, IByteHandler handler);

    /// <summary>Runs the work on the loop's thread, soon.</summary>
    internal void Post(Action work)
    {
        _posted.Enqueue(work);
        Wake();
    }

    /// <summary>Makes <see cref="Run"/> return after the current tick.</summary>
    internal void Stop()
    {
        _stopping = true;
        Wake();
    }

    internal void Run()
    {
        while (!_stopping)
        {
            Tick(maxWaitMs: int.MaxValue);
        }
    }

    /// <summary>The longest round since this was asked last, waiting not counted, in milliseconds. May be asked by any thread.</summary>
    internal int TakeLongestRoundMs() => Interlocked.Exchange(ref _longestRoundMs, 0);

    /// <summary>Calls what it is given, once, on the loop's thread, when a wait is over the next time. May be asked by any thread.</summary>
    internal void TellOfWork(Action tell) => Volatile.Write(ref _tellOfWork, tell);

    /// <summary>One round: wait, input and output, timers, posted work.</summary>
    internal void Tick(int maxWaitMs)
    {
        UpdateNow();
        if (_woken >= 0 && Now - _woken > _longestRoundMs)
        {
            // Two threads may write: a longest round that gets lost that way is followed by others where there is a problem.
            Volatile.Write(ref _longestRoundMs, (int)Math.Min(Now - _woken, int.MaxValue));
        }

        var wait = _ready is not null || !_posted.IsEmpty ? 0 : Timers.NextWait(Now);
        if (wait < 0 || wait > maxWaitMs)
        {
            wait = maxWaitMs == int.MaxValue ? wait : maxWaitMs;
        }

        WaitAndDispatch(wait);
        UpdateNow();
        Timers.Advance(Now);
        RunReady();
        RunPosted();
        RunFlushes();
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        CloseBackEnd();
        Libc.Close(WakeFd);
        NativeMemory.AlignedFree(_scratch);
        NativeMemory.AlignedFree(_outScratch);
    }

    /// <summary>Asks for a flush at the end of this tick; the caller sees to it that it asks once.</summary>
    internal void FlushLater(IFlushable output) => _flushes.Add(output);

    /// <summary>Asks for the channel's <c>Continue</c> later in this tick; asking twice is asking once.</summary>
    internal void MakeReady(Channel channel)
    {
        if (channel.IsQueued)
        {
            return;
        }

        channel.IsQueued = true;
        channel.NextReady = null;
        if (_readyTail is null)
        {
            _ready = channel;
        }
        else
        {
            _readyTail.NextReady = channel;
        }

        _readyTail = channel;
    }

    private protected abstract void WaitAndDispatch(int timeoutMs);

    private protected abstract void CloseBackEnd();

    /// <summary>The wait is over and a round begins.</summary>
    private protected void OnWoken()
    {
        UpdateNow();
        _woken = Now;
        if (Volatile.Read(ref _tellOfWork) is { } tell)
        {
            _tellOfWork = null;
            tell();
        }
    }

    /// <summary>The wake descriptor was signalled.</summary>
    private protected void OnWake()
    {
        ulong count;
        _ = Libc.Read(WakeFd, &count, sizeof(ulong));
        Volatile.Write(ref _wakePending, 0);
    }

    /// <summary>Also to be called between waiting and dispatching: a timer that is started then must not count the wait.</summary>
    private protected void UpdateNow() => Now = (long)_clock.GetElapsedTime(_clockOrigin).TotalMilliseconds;

    private void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
        {
            ulong one = 1;
            _ = Libc.Write(WakeFd, &one, sizeof(ulong));
        }
    }

    private void RunReady()
    {
        // Only what is queued now: a channel that queues itself again waits for the next tick, so that none starves the rest.
        var channel = _ready;
        _ready = _readyTail = null;
        while (channel is not null)
        {
            var next = channel.NextReady;
            channel.NextReady = null;
            channel.IsQueued = false;
            channel.Continue();
            channel = next;
        }
    }

    private void RunFlushes()
    {
        // One flush may lead to another.
        for (var i = 0; i < _flushes.Count; i++)
        {
            try
            {
                _flushes[i].FlushOutput();
            }
            catch (Exception fault) when (Faulted is not null)
            {
                // One connection's defect must not end the others.
                Faulted(fault);
                _flushes[i].Abandon();
            }
        }

        _flushes.Clear();
    }

    private void RunPosted()
    {
        while (_posted.TryDequeue(out var work))
        {
            work();
        }
    }
}

/// <summary>What a loop is made with.</summary>
/// <param name="Clock">Where time comes from.</param>
/// <param name="Mark">SO_MARK of every socket; 0 for none, where nothing is captured (tests, benchmarks).</param>
internal sealed record LoopSettings(TimeProvider Clock, int Mark);
