// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Local.Logging;

namespace Weft.Cli.Output;

/// <summary>One logger a category, all to one writer; the framework's own are heard from warnings on.</summary>
internal sealed class LineLoggers(TextWriter output, TimeProvider clock) : ILoggerFactory
{
    private readonly LineLogger _ours = new(output, clock);
    private readonly LineLogger _theirs = new(output, clock, LogLevel.Warning);

    public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? _theirs : _ours;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("There is one output.");

    public void Dispose()
    {
        // The writer is the process's.
    }
}
