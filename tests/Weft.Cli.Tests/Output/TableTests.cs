// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Output;

namespace Weft.Cli.Tests.Output;

public sealed class TableTests
{
    [Fact]
    public void Columns_are_as_wide_as_their_longest_cell_and_an_empty_cell_is_a_dash()
    {
        var table = new Table("POD", "READY", "ADDRESS");
        table.Add("web-1", "2/2", "10.244.0.3");
        table.Add("a-long-name", "0/2", "");
        Assert.Equal("POD          READY  ADDRESS\nweb-1        2/2    10.244.0.3\na-long-name  0/2    -\n", table.ToString());
    }

    [Fact]
    public void Off_a_terminal_there_is_no_colour_and_without_utf8_no_glyph()
    {
        var plain = new Terminal(TextWriter.Null, TextWriter.Null, false, false, name => name == "LC_ALL" ? "C" : null);
        Assert.Equal(("ok", "x"), (plain.Ok, plain.Bad));
        var coloured = new Terminal(TextWriter.Null, TextWriter.Null, true, true, name => name == "TERM" ? "xterm" : null);
        Assert.Equal("\e[32m✓\e[0m", coloured.Ok);
        var refused = new Terminal(TextWriter.Null, TextWriter.Null, true, true, name => name switch { "TERM" => "xterm", "NO_COLOR" => "1", _ => null });
        Assert.Equal("✓", refused.Ok);
    }
}
