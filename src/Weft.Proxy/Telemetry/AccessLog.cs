// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>
/// The access log: loops put lines into their rings, one thread writes them to a stream. Loops never wait for it.
/// </summary>
internal sealed class AccessLog : IDisposable
{
    /// <summary>How long a line may wait.</summary>
    public const int FlushMs = 200;

    private readonly Stream _stream;
    private readonly LoopLog[] _loops;
    private readonly Thread _thread;
    private readonly AutoResetEvent _waits = new(false);
    private readonly AutoResetEvent _nearlyFull = new(false);
    private volatile bool _stopping;
    private long _failedWrites;

    /// <summary>The stream belongs to the log from now on.</summary>
    public AccessLog(Stream stream, AccessLogFormat format, int loops)
    {
        _stream = stream;
        _loops = new LoopLog[loops];
        for (var i = 0; i < loops; i++)
        {
            _loops[i] = new LoopLog(format, () => _waits.Set(), () => _nearlyFull.Set());
        }

        _thread = new Thread(Run, 256 * 1024) { Name = "access log", IsBackground = true };
    }

    public IReadOnlyList<LoopLog> Loops => _loops;

    /// <summary>Lines that were dropped because they came faster than they could be written.</summary>
    public long Dropped => _loops.Sum(loop => loop.Ring.Dropped);

    /// <summary>Writes that the stream refused.</summary>
    public long FailedWrites => Volatile.Read(ref _failedWrites);

    /// <summary>Null for an empty path: no log.</summary>
    public static AccessLog? Open(string path, bool json, int loops)
    {
        var stream = path switch
        {
            "" => null,

            // Opening these again would begin to write at the front of a file that they were redirected to.
            "/dev/stdout" => Console.OpenStandardOutput(),
            "/dev/stderr" => Console.OpenStandardError(),
            _ => new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0),
        };
        return stream is null ? null : new AccessLog(stream, json ? new JsonLogFormat() : new TextLogFormat(), loops);
    }

    public void Start() => _thread.Start();

    /// <summary>Writes what waits and closes the stream.</summary>
    public void Dispose()
    {
        _stopping = true;
        _waits.Set();
        _nearlyFull.Set();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
        else
        {
            Flush();
        }

        _stream.Dispose();
        _waits.Dispose();
        _nearlyFull.Dispose();
    }

    internal void Flush()
    {
        foreach (var loop in _loops)
        {
            try
            {
                loop.Ring.Drain(_stream);
            }
            catch (IOException)
            {
                // A closed pipe or a full disk: there is nobody to tell but the metric.
                Volatile.Write(ref _failedWrites, _failedWrites + 1);
            }
        }
    }

    /// <summary>True if nothing waits; what comes from then on sets <see cref="_waits"/>.</summary>
    private bool MaySleep()
    {
        var sleep = true;
        foreach (var loop in _loops)
        {
            sleep &= loop.Ring.ReaderMaySleep();
        }

        return sleep;
    }

    private void Run()
    {
        while (!_stopping)
        {
            if (MaySleep())
            {
                _waits.WaitOne();
            }

            _nearlyFull.WaitOne(FlushMs);
            Flush();
        }

        Flush();
    }
}
