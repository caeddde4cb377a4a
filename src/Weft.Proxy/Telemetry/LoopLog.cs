// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>One loop's way into the access log.</summary>
internal sealed class LoopLog(AccessLogFormat format, Action nearlyFull)
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

        // Waking a thread is a system call; the log's thread looks often enough by itself unless much is coming.
        if (before < LogRing.Capacity / 2 && Ring.Waiting >= LogRing.Capacity / 2)
        {
            nearlyFull();
        }
    }
}
