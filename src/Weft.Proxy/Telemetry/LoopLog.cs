// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>One loop's way into the access log.</summary>
/// <param name="format">How a line looks.</param>
/// <param name="waits">Called when a line waits for a reader that sleeps.</param>
/// <param name="nearlyFull">Called when the reader had better not wait for more.</param>
internal sealed class LoopLog(AccessLogFormat format, Action waits, Action nearlyFull)
{
    private readonly LogLine _line = new();

    public LogRing Ring { get; } = new();

    public void Write(in RequestRecord record)
    {
        _line.Clear();
        format.Write(_line, record);
        Commit();
    }

    public void Write(in TunnelRecord record)
    {
        _line.Clear();
        format.Write(_line, record);
        Commit();
    }

    private void Commit()
    {
        var before = Ring.Waiting;
        Ring.TryWrite(_line.Bytes);

        // Waking a thread is a system call: one for the first line, and then the log's thread waits for others unless much is coming.
        if (Ring.TakeSleeping())
        {
            waits();
        }
        else if (before < LogRing.Capacity / 2 && Ring.Waiting >= LogRing.Capacity / 2)
        {
            nearlyFull();
        }
    }
}
