// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Weft.Local.Logging;

/// <summary>Writes one line a message, <c>time level message</c>, to a text writer; safe from every thread.</summary>
public sealed class LineLogger(TextWriter writer, TimeProvider time, LogLevel least = LogLevel.Information) : ILogger
{
    private readonly Lock _writing = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        var level = logLevel switch
        {
            LogLevel.Critical or LogLevel.Error => "error",
            LogLevel.Warning => "warn ",
            LogLevel.Information => "info ",
            _ => "debug",
        };
        var now = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var line = $"{now} {level} {formatter(state, exception)}";
        if (exception is not null)
        {
            line += $"\n    {exception}";
        }

        lock (_writing)
        {
            writer.WriteLine(line);
            writer.Flush();
        }
    }
}
