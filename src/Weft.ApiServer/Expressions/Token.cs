// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

internal readonly record struct Token(TokenKind Kind, string Text, object? Value, int At);

internal enum TokenKind
{
    End,
    Name,
    Sign,
    Value,
}
