/*
 * The syntax of DiffEqLang, and its only definition. REFERENCE.md says what the forms mean.
 *
 * Between lexer and parser stands the layout (Layout/*.cs). It makes the parser's input regular, so that every decision
 * below needs one token of lookahead (but `else if`, two) and the parser hardly ever predicts:
 *   - one NEWLINE ends every statement, none stands anywhere else (lines continued, blank lines dropped);
 *   - brackets are balanced and not nested too deeply; what was wrong with them is reported there;
 *   - the declaration words are keywords only where they begin a declaration, and an ID everywhere else; but `implicit {` within an
 *     expression is a MARK;
 *   - comments are set aside for the formatter and for documentation;
 *   - slips such as `**` or `;` are reported and mended.
 * Some rules take more than the language has (a `~` in place of `=`, a model within a model): the reader reports these
 * with words of its own, which are better than a parser's.
 */
grammar Deq;

tokens { NEWLINE, MISSING, MARK }

// Files

file : (statement NEWLINE)* EOF ;

loneExpression : expression NEWLINE EOF ;

statement
    : importFile
    | model
    | dimDeclaration
    | stateDeclaration
    | algebraicDeclaration
    | paramDeclaration
    | constDeclaration
    | controlDeclaration
    | wienerDeclaration
    | jumpsDeclaration
    | sampleDeclaration
    | letDeclaration
    | fnDeclaration
    | netDeclaration
    | outputDeclaration
    | initDeclaration
    | historyDeclaration
    | calculusDeclaration
    | implicitBlock
    | event
    | solveBlock
    | equation
    ;

importFile : IMPORT (STRING | ID ((DOT | SLASH | MINUS) ID)*) ;

model     : MODEL modelName (block | assign ID arguments) ;
modelName : ID ;

block : LBRACE (statement NEWLINE)* RBRACE ;

// Declarations

dimDeclaration       : DIM ID (assign expression)? ;
stateDeclaration     : STATE declarators ;
algebraicDeclaration : ALGEBRAIC declarators ;
paramDeclaration     : PARAM ID (LPAREN ID RPAREN)? (COLON type)? (COMMA declarator)* paramClause* ;
constDeclaration     : CONST declarator assign expression ;
controlDeclaration   : CONTROL declarators ;
/** With `, correlation = C`, where the reader finds the word at the end of the declarators, or without the comma. */
wienerDeclaration    : WIENER declarators (ID? assign expression)? ;
jumpsDeclaration     : JUMPS ID COLON ID LPAREN expression RPAREN ;
sampleDeclaration    : SAMPLE declarators TILDE distribution ;
letDeclaration       : LET ID assign expression ;
fnDeclaration        : FN ID LPAREN (ID (COMMA ID)*)? RPAREN assign expression ;
netDeclaration       : NET ID COLON type ARROW type assign stage (PIPE stage)* ;
outputDeclaration    : OUTPUT ID assign expression ;
initDeclaration      : INIT ID PRIME* assign expression ;
historyDeclaration   : HISTORY ID assign expression ;
calculusDeclaration  : CALCULUS ID ;

declarators  : declarator (COMMA declarator)* ;
declarator   : ID (COLON type)? ;
type         : ID (LBRACKET expression (COMMA expression)* RBRACKET)? ;
paramClause  : TILDE distribution
             | (EQUAL | COLON_EQUAL) expression
             | IN interval
             ;
distribution : ID arguments? ;
interval     : (LPAREN | LBRACKET) expression COMMA expression (RPAREN | RBRACKET) ;
stage        : ID arguments? ;

// Equations, events and the solve block

equation      : expression (assign expression)? ;
implicitBlock : IMPLICIT LBRACE (equation NEWLINE)* RBRACE ;
event         : WHEN trigger LBRACE (action (COMMA | NEWLINE))* RBRACE ;
trigger       : ID LPAREN expression RPAREN ;
action        : expression (assign expression)? ;
solveBlock    : SOLVE LBRACE (setting (COMMA | NEWLINE))* RBRACE ;
setting       : ID assign expression (DOTS expression | COLON NUMBER)? ;

/** `=`, in an action `:=`; the rest are slips that the reader reports. */
assign : EQUAL | COLON_EQUAL | TILDE ;

// Expressions, loosest first. Chains are flat: a sum of 20,000 terms is one node with 20,000 children.

expression  : conditional | disjunction ;
conditional : IF expression THEN expression (ELSE IF expression THEN expression)* ELSE disjunction ;
disjunction : conjunction (OR conjunction)* ;
conjunction : negation (AND negation)* ;
negation    : NOT* comparison ;
comparison  : sum ((EQUAL_EQUAL | NOT_EQUAL | LESS | LESS_EQUAL | GREATER | GREATER_EQUAL) sum)* ;
sum         : product ((PLUS | MINUS) product)* ;
product     : signed ((STAR | SLASH | AT) signed)* ;
signed      : sign* power ;
/** Right-associative, and its exponent may be signed: `2^-x^2` is `2^(-(x^2))`. */
power       : postfix (CARET exponent)* ;
exponent    : sign* postfix ;
sign        : PLUS | MINUS ;
postfix     : primary suffix* ;
suffix      : subscripts | DOT ID | PRIME ;
primary     : NUMBER
            | ID arguments?
            | LPAREN expression RPAREN
            | LBRACKET expression (COMMA expression)* RBRACKET
            | MARK LBRACE expression RBRACE
            | MISSING
            ;
arguments   : LPAREN (argument (COMMA argument)*)? RPAREN ;
/** `name = value` where the second expression is there; a text only as the file of `rk("file.json")`. */
argument    : expression (EQUAL expression)? | STRING ;
subscripts  : LBRACKET subscript (COMMA subscript)* RBRACKET ;
subscript   : expression (DOTS expression?)? | DOTS expression? ;

// Words. Reserved everywhere:

IF   : 'if' ;
THEN : 'then' ;
ELSE : 'else' ;
AND  : 'and' ;
OR   : 'or' ;
NOT  : 'not' ;

// Keywords only where they begin a declaration (`in`: only behind a parameter), otherwise names:

IMPORT    : 'import' ;
MODEL     : 'model' ;
DIM       : 'dim' ;
STATE     : 'state' ;
ALGEBRAIC : 'algebraic' ;
PARAM     : 'param' ;
CONST     : 'const' ;
CONTROL   : 'control' ;
WIENER    : 'wiener' ;
JUMPS     : 'jumps' ;
SAMPLE    : 'sample' ;
LET       : 'let' ;
FN        : 'fn' ;
NET       : 'net' ;
OUTPUT    : 'output' ;
INIT      : 'init' ;
HISTORY   : 'history' ;
CALCULUS  : 'calculus' ;
IMPLICIT  : 'implicit' ;
WHEN      : 'when' ;
SOLVE     : 'solve' ;
IN        : 'in' ;

/** A name that begins with `_` is a slip that the layout reports. */
ID     : [\p{L}_] [\p{L}\p{Mn}\p{Mc}\p{Nd}_]* ;
NUMBER : DIGITS ('.' DIGITS)? ([eE] [+-]? DIGITS)? ;
STRING : '"' ~["\n]* '"' ;

LPAREN   : '(' ;
RPAREN   : ')' ;
LBRACKET : '[' ;
RBRACKET : ']' ;
LBRACE   : '{' ;
RBRACE   : '}' ;

COMMA         : ',' ;
COLON         : ':' ;
DOT           : '.' ;
DOTS          : '..' ;
PRIME         : '\'' ;
TILDE         : '~' ;
EQUAL         : '=' ;
COLON_EQUAL   : ':=' ;
ARROW         : '->' ;
PIPE          : '|>' ;
PLUS          : '+' ;
MINUS         : '-' ;
STAR          : '*' ;
SLASH         : '/' ;
AT            : '@' ;
CARET         : '^' ;
EQUAL_EQUAL   : '==' ;
NOT_EQUAL     : '!=' ;
LESS          : '<' ;
LESS_EQUAL    : '<=' ;
GREATER       : '>' ;
GREATER_EQUAL : '>=' ;

DOCUMENTATION : '##' ~[\n]* ;
COMMENT       : '#' ~[\n]* ;
BLANK         : [ \t\r\n\f\u000B\p{Zs}]+ -> skip ;

// Slips, which the layout reports and mends; the parser sees none of these.

STAR_STAR       : '**' ;
AND_AND         : '&&' ;
OR_OR           : '||' ;
BANG            : '!' ;
SEMICOLON       : ';' ;
SLASH_COMMENT   : '//' ~[\n]* | '/*' .*? '*/' ;
UNCLOSED_STRING : '"' ~["\n]* ;
UNKNOWN         : . ;

fragment DIGITS : [0-9] ([0-9_]* [0-9])? ;
