// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Weft.Proxy.Io;

namespace Weft.Bench.Load;

/// <summary>
/// Sends HTTP/1.1 requests at a fixed rate over keep-alive connections, one at a time on each, and counts latencies from the time
/// that each was meant to be sent. One thread on epoll that sleeps between requests, to leave the processor to what is measured.
/// </summary>
internal sealed unsafe partial class SteadyLoad : IDisposable
{
    private const int EventCapacity = 256;
    private const int BufferSize = 64 * 1024;
    private const int SetTimerSlack = 29;

    // What is still unanswered so long after the end was lost.
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(10);

    private readonly byte[] _request;
    private readonly byte[] _buffer = GC.AllocateArray<byte>(BufferSize, pinned: true);
    private readonly EpollEvent[] _events = GC.AllocateArray<EpollEvent>(EventCapacity, pinned: true);
    private readonly Connection[] _connections;
    private readonly Queue<int> _free = new();
    private readonly Queue<long> _waiting = new();
    private readonly int _epoll;

    /// <summary>Opens the connections; throws <see cref="BenchException"/> if one is refused.</summary>
    public SteadyLoad(int port, string path, int connections)
    {
        _request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
        _epoll = Libc.EpollCreate(Libc.SockCloseOnExec);
        _connections = new Connection[connections];
        for (var i = 0; i < connections; i++)
        {
            var fd = Sockets.Connect(port);
            _connections[i] = new Connection(fd);
            _free.Enqueue(i);
            var entry = new EpollEvent { Events = Libc.EpollIn | Libc.EpollRdHup, Tag = (ulong)i };
            _ = Libc.EpollControl(_epoll, Libc.EpollCtlAdd, fd, &entry);
        }
    }

    /// <summary>Latencies of the last run, in nanoseconds.</summary>
    public Histogram Latencies { get; } = new();

    /// <summary>Runs for a time and waits for the last answers; those due within <paramref name="warm"/> are sent and not counted.</summary>
    public void Run(double perSecond, TimeSpan warm, TimeSpan time)
    {
        Latencies.Clear();
        _ = ProcessControl(SetTimerSlack, 1, 0, 0, 0);
        var schedule = new Schedule(Now, perSecond);
        var count = schedule.CountIn(warm + time);
        var countsFrom = schedule.DueAt(schedule.CountIn(warm));
        var lost = schedule.DueAt(count) + (long)_grace.TotalNanoseconds;
        for (long next = 0, done = 0; done < count;)
        {
            var now = Now;
            for (; next < count && schedule.DueAt(next) <= now; next++)
            {
                _waiting.Enqueue(schedule.DueAt(next));
            }

            while (_waiting.Count > 0 && _free.TryDequeue(out var free))
            {
                Send(free, _waiting.Dequeue());
            }

            if (now > lost)
            {
                throw new BenchException($"{count - done} of {count} requests at {perSecond:0}/s were never answered.");
            }

            done += Wait((next < count ? schedule.DueAt(next) : lost) - Now, countsFrom);
        }
    }

    /// <summary>Every connection asks again as soon as it is answered, for a time; returns the requests a second.</summary>
    public double Saturate(TimeSpan time)
    {
        Latencies.Clear();
        var start = Now;
        var end = start + (long)time.TotalNanoseconds;
        while (Now < end)
        {
            while (_free.TryDequeue(out var free))
            {
                Send(free, Now);
            }

            Wait(end - Now, 0);
        }

        var perSecond = Latencies.Count / ((Now - start) / 1e9);
        while (_free.Count < _connections.Length)
        {
            Wait(end + (long)_grace.TotalNanoseconds - Now, 0);
        }

        return perSecond;
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            Libc.Close(connection.Fd);
        }

        Libc.Close(_epoll);
    }

    private static long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    private void Send(int index, long due)
    {
        var connection = _connections[index];
        connection.Due = due;
        fixed (byte* request = _request)
        {
            if (Libc.Send(connection.Fd, request, (nuint)_request.Length, Libc.MsgNoSignal) != _request.Length)
            {
                throw new BenchException($"A request could not be sent: error {Libc.LastError}.");
            }
        }
    }

    /// <summary>Waits at most so long and takes what arrived; returns how many answers are complete.</summary>
    private int Wait(long nanoseconds, long countsFrom)
    {
        var limit = new TimeSpec { Seconds = Math.Max(0, nanoseconds) / 1_000_000_000, Nanoseconds = Math.Max(0, nanoseconds) % 1_000_000_000 };
        int count;
        fixed (EpollEvent* events = _events)
        {
            count = EpollWait(_epoll, events, EventCapacity, &limit, null, 0);
        }

        var done = 0;
        for (var i = 0; i < count; i++)
        {
            done += Take((int)_events[i].Tag, countsFrom);
        }

        return done;
    }

    private int Take(int index, long countsFrom)
    {
        var connection = _connections[index];
        nint length;
        fixed (byte* buffer = _buffer)
        {
            length = Libc.Recv(connection.Fd, buffer, BufferSize, 0);
        }

        if (length <= 0)
        {
            throw new BenchException(length == 0 ? "A connection was closed." : $"A connection broke: error {Libc.LastError}.");
        }

        if (!connection.Answer.Read(_buffer.AsSpan(0, (int)length)))
        {
            return 0;
        }

        if (connection.Due >= countsFrom)
        {
            Latencies.Add(Now - connection.Due);
        }

        _free.Enqueue(index);
        return 1;
    }

    [LibraryImport("libc.so.6", EntryPoint = "epoll_pwait2", SetLastError = true)]
    private static partial int EpollWait(int epoll, EpollEvent* events, int capacity, TimeSpec* limit, void* signals, nuint size);

    [LibraryImport("libc.so.6", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint first, nuint second, nuint third, nuint fourth);

    private sealed class Connection(int fd)
    {
        internal int Fd { get; } = fd;

        internal AnswerReader Answer { get; } = new();

        internal long Due { get; set; }
    }

    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}

/// <summary>Plain blocking sockets to this machine, without exceptions for what is expected.</summary>
internal static unsafe class Sockets
{
    /// <summary>A connected descriptor; throws <see cref="BenchException"/> if it is refused.</summary>
    public static int Connect(int port) => TryConnect(port) is var fd and >= 0
        ? fd
        : throw new BenchException($"Port {port} refuses connections: error {Libc.LastError}.");

    /// <summary>A connected descriptor, or -1.</summary>
    public static int TryConnect(int port)
    {
        var fd = Libc.Socket(Libc.AfInet, Libc.SockStream | Libc.SockCloseOnExec, 0);
        var address = new SockAddr { Family = Libc.AfInet, PortBigEndian = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((ushort)port), V4 = 0x0100007F };
        if (Libc.Connect(fd, &address, 16) == 0)
        {
            Libc.TrySetOption(fd, Libc.SolTcp, Libc.TcpNoDelay, 1);
            return fd;
        }

        Libc.Close(fd);
        return -1;
    }

    /// <summary>Sends all and receives once; how many bytes came, 0 or less when the peer broke off.</summary>
    public static int Ask(int fd, ReadOnlySpan<byte> request, Span<byte> answer)
    {
        fixed (byte* sent = request)
        fixed (byte* received = answer)
        {
            return Libc.Send(fd, sent, (nuint)request.Length, Libc.MsgNoSignal) == request.Length
                ? (int)Libc.Recv(fd, received, (nuint)answer.Length, 0)
                : -1;
        }
    }

    /// <summary>Whether it is open, with nothing to be read.</summary>
    public static bool IsIdle(int fd)
    {
        const int PeekWithoutWaiting = 0x02 | 0x40;
        byte next;
        return Libc.Recv(fd, &next, 1, PeekWithoutWaiting) < 0 && Libc.LastError == Libc.EAgain;
    }
}
