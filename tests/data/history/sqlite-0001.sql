BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE chains (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	tip TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "chains" VALUES(1,'linux

values','run-21');
INSERT INTO "chains" VALUES(2,'linux

bounds','run-19');
INSERT INTO "chains" VALUES(3,'linux
quick, 2 cores
values, in part','run-20');
CREATE TABLE events (
	number INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id)
);
INSERT INTO "events" VALUES(1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"format":1,"id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","kind":"mark","time":"2026-11-29T11:00:00Z","commit":"70f77f5697b85252c384c2ca03b70a2142b12901","text":"release 2.1"}
');
INSERT INTO "events" VALUES(2,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','{"format":1,"id":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","kind":"acknowledgement","time":"2026-11-29T12:00:00Z","text":"why","change":"x","by":"Ann"}
');
CREATE TABLE facts (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('branch','refs/heads/main');
INSERT INTO "facts" VALUES('root','238aa4c655806579bbc496bba70b8a869347dac3');
CREATE TABLE line (
	position INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	tree TEXT NOT NULL, 
	author TEXT NOT NULL, 
	time TEXT NOT NULL, 
	title TEXT NOT NULL, 
	PRIMARY KEY (position), 
	UNIQUE (id)
);
INSERT INTO "line" VALUES(0,'238aa4c655806579bbc496bba70b8a869347dac3','1a4989aa19abfa8441901f8fba2bde37228eb972','Ann','2026-11-29T10:00:00Z','change 0 ü');
INSERT INTO "line" VALUES(1,'de805af89f0c2b7cc92c55d39735bbbbe39dede8','a7c51973d0f44faa2f242a042ab387cdcc099b7d','Ann','2026-11-29T10:00:00Z','change 1 ü');
INSERT INTO "line" VALUES(2,'2308aa4fb87505e99cd43149030f94e9b0d60848','09bc99338abf5d745496180da22a53c8222d14e6','Ann','2026-11-29T10:00:00Z','change 2 ü');
INSERT INTO "line" VALUES(3,'1a7df1fa7468adf8c0be7038b89fd206c240f826','a7c51973d0f44faa2f242a042ab387cdcc099b7d','Ann','2026-11-29T10:00:00Z','change 3 ü');
INSERT INTO "line" VALUES(4,'407eb95b7a67d5e912af9c664bf269f6b74f8c8b','b4f0614fb1edb354447825f4cef599f246cf2448','Ann','2026-11-29T10:00:00Z','change 4 ü');
INSERT INTO "line" VALUES(5,'70f77f5697b85252c384c2ca03b70a2142b12901','39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77','Ann','2026-11-29T10:00:00Z','change 5 ü');
CREATE TABLE points (
	series INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	value DOUBLE, 
	bound DOUBLE, 
	spread DOUBLE NOT NULL, 
	baseline DOUBLE, 
	anchor DOUBLE, 
	allowed DOUBLE, 
	most DOUBLE, 
	reason TEXT NOT NULL, 
	sites TEXT NOT NULL, 
	PRIMARY KEY (series, run), 
	FOREIGN KEY(series) REFERENCES series (id), 
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID

;
INSERT INTO "points" VALUES(1,1,1000000.0,NULL,0.0,1000000.0,900000.0,500000.0,9000000.0,'','{"code.py:1 load": 1000.0}');
INSERT INTO "points" VALUES(1,2,NULL,3000000.0,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(1,4,2000000.0,NULL,0.0,1000000.0,900000.0,500000.0,9000000.0,'','{"code.py:1 load": 2000.0}');
INSERT INTO "points" VALUES(1,7,3000000.0,NULL,0.0,1000000.0,900000.0,500000.0,9000000.0,'','{"code.py:1 load": 3000.0}');
INSERT INTO "points" VALUES(1,10,7000000.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(1,11,1000000.0,NULL,0.0,1000000.0,900000.0,500000.0,9000000.0,'','{"code.py:1 load": 4000.0}');
INSERT INTO "points" VALUES(1,14,8000000.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(1,15,2000000.0,NULL,0.0,1000000.0,900000.0,500000.0,9000000.0,'','{"code.py:1 load": 5000.0}');
INSERT INTO "points" VALUES(1,18,3000000.0,NULL,0.0,1000000.0,900000.0,500000.0,9000000.0,'','{"code.py:1 load": 6000.0}');
INSERT INTO "points" VALUES(1,21,4000000.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(2,1,500000.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(2,10,0.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,1,1000.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,4,1001.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,7,1002.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,10,NULL,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,11,1003.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,14,NULL,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,15,1004.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,18,1005.0,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(3,21,NULL,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,2,NULL,2500000.0,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,4,NULL,2000000.0,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,7,NULL,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,11,NULL,2000000.0,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,14,NULL,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,18,NULL,2000000.0,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(4,21,NULL,NULL,0.0,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(5,3,0.1,NULL,0.01,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(5,6,0.2,NULL,0.01,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(5,9,3.00000000000000044408e-01,NULL,0.01,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(5,13,0.4,NULL,0.01,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(5,17,0.5,NULL,0.01,NULL,NULL,NULL,NULL,'','');
INSERT INTO "points" VALUES(5,20,6.00000000000000088817e-01,NULL,0.01,NULL,NULL,NULL,NULL,'','');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	chain INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	commit_id TEXT NOT NULL, 
	tree TEXT NOT NULL, 
	complete BOOLEAN NOT NULL, 
	apart BOOLEAN NOT NULL, 
	started TEXT NOT NULL, 
	record TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE ("key"), 
	FOREIGN KEY(chain) REFERENCES chains (id)
);
INSERT INTO "runs" VALUES(1,'run-1',1,'content of run-1','238aa4c655806579bbc496bba70b8a869347dac3','1a4989aa19abfa8441901f8fba2bde37228eb972',1,0,'2026-11-29T10:00:01Z','{"id": "run-1", "environment": "linux", "commit": {"id": "238aa4c655806579bbc496bba70b8a869347dac3", "tree": "1a4989aa19abfa8441901f8fba2bde37228eb972", "branch": "main"}, "start": "2026-11-29T10:00:01Z", "end": "2026-11-29T10:00:01Z"}','{"format":1,"content":"content of run-1","chain":"linux\n\nvalues","id":"run-1","commit":{"id":"238aa4c655806579bbc496bba70b8a869347dac3","tree":"1a4989aa19abfa8441901f8fba2bde37228eb972","branch":"main"},"start":"2026-11-29T10:00:01Z","end":"2026-11-29T10:00:01Z","seconds":0,"complete":true,"environment":"linux","named":[["bundle","app","bundle.initial.raw[main]","B","web","","exact"],["tests/test_a.py","test_one","memory.peak","B","linux","","near-exact"],["tests/test_a.py","test_one","memory.retained","B","linux","","near-exact"]],"named_levels":{"value":[1000,1000000,500000],"baseline":{"at":[1],"is":[1000000]},"anchor":{"at":[1],"is":[900000]},"allowed":{"at":[1],"is":[500000]},"limit":{"at":[1],"is":[9000000]}},"sites":{"names":["code.py:1 load"],"at":[1],"of":[[0]],"is":[1000]}}
');
INSERT INTO "runs" VALUES(2,'run-2',2,'content of run-2','238aa4c655806579bbc496bba70b8a869347dac3','1a4989aa19abfa8441901f8fba2bde37228eb972',1,0,'2026-11-29T10:00:02Z','{"id": "run-2", "environment": "linux", "commit": {"id": "238aa4c655806579bbc496bba70b8a869347dac3", "tree": "1a4989aa19abfa8441901f8fba2bde37228eb972", "branch": "main"}, "start": "2026-11-29T10:00:02Z", "end": "2026-11-29T10:00:02Z"}','{"format":1,"content":"content of run-2","chain":"linux\n\nbounds","id":"run-2","commit":{"id":"238aa4c655806579bbc496bba70b8a869347dac3","tree":"1a4989aa19abfa8441901f8fba2bde37228eb972","branch":"main"},"start":"2026-11-29T10:00:02Z","end":"2026-11-29T10:00:02Z","seconds":0,"complete":true,"environment":"linux","named":[["tests/test_a.py","test_one","memory.peak","B","linux","","near-exact"],["tests/test_a.py","test_two","memory.peak","B","linux","","near-exact"]],"named_levels":{"bound":[3000000,2500000]}}
');
INSERT INTO "runs" VALUES(3,'run-3',3,'content of run-3','238aa4c655806579bbc496bba70b8a869347dac3','1a4989aa19abfa8441901f8fba2bde37228eb972',0,0,'2026-11-29T10:00:03Z','{"id": "run-3", "environment": "linux", "machine": "quick, 2 cores", "commit": {"id": "238aa4c655806579bbc496bba70b8a869347dac3", "tree": "1a4989aa19abfa8441901f8fba2bde37228eb972", "branch": "main"}, "complete": false, "start": "2026-11-29T10:00:03Z", "end": "2026-11-29T10:00:03Z"}','{"format":1,"content":"content of run-3","chain":"linux\nquick, 2 cores\nvalues, in part","id":"run-3","commit":{"id":"238aa4c655806579bbc496bba70b8a869347dac3","tree":"1a4989aa19abfa8441901f8fba2bde37228eb972","branch":"main"},"start":"2026-11-29T10:00:03Z","end":"2026-11-29T10:00:03Z","seconds":0,"complete":false,"environment":"linux","machine":"quick, 2 cores","named":[["tests/test_a.py","test_one","time.median","s","linux","quick, 2 cores","noisy"]],"named_levels":{"value":[0.1],"spread":[0.01]}}
');
INSERT INTO "runs" VALUES(4,'run-4',1,'content of run-4','de805af89f0c2b7cc92c55d39735bbbbe39dede8','a7c51973d0f44faa2f242a042ab387cdcc099b7d',1,0,'2026-11-29T10:00:04Z','{"id": "run-4", "environment": "linux", "commit": {"id": "de805af89f0c2b7cc92c55d39735bbbbe39dede8", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "main"}, "start": "2026-11-29T10:00:04Z", "end": "2026-11-29T10:00:04Z"}','{"format":1,"content":"content of run-4","base":"run-1","id":"run-4","commit":{"id":"de805af89f0c2b7cc92c55d39735bbbbe39dede8","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"main"},"start":"2026-11-29T10:00:04Z","end":"2026-11-29T10:00:04Z","seconds":0,"complete":true,"at":[0,1],"levels":{"value":[1001,2000000]},"named":[["tests/test_a.py","test_two","memory.peak","B","linux","","near-exact"]],"named_levels":{"bound":[2000000]},"sites":{"names":["code.py:1 load"],"at":[1],"of":[[0]],"is":[2000]}}
');
INSERT INTO "runs" VALUES(5,'run-5',2,'content of run-5','de805af89f0c2b7cc92c55d39735bbbbe39dede8','a7c51973d0f44faa2f242a042ab387cdcc099b7d',1,0,'2026-11-29T10:00:05Z','{"id": "run-5", "environment": "linux", "commit": {"id": "de805af89f0c2b7cc92c55d39735bbbbe39dede8", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "main"}, "start": "2026-11-29T10:00:05Z", "end": "2026-11-29T10:00:05Z"}','{"format":1,"content":"content of run-5","base":"run-2","id":"run-5","commit":{"id":"de805af89f0c2b7cc92c55d39735bbbbe39dede8","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"main"},"start":"2026-11-29T10:00:05Z","end":"2026-11-29T10:00:05Z","seconds":0,"complete":true}
');
INSERT INTO "runs" VALUES(6,'run-6',3,'content of run-6','de805af89f0c2b7cc92c55d39735bbbbe39dede8','a7c51973d0f44faa2f242a042ab387cdcc099b7d',0,0,'2026-11-29T10:00:06Z','{"id": "run-6", "environment": "linux", "machine": "quick, 2 cores", "commit": {"id": "de805af89f0c2b7cc92c55d39735bbbbe39dede8", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "main"}, "complete": false, "start": "2026-11-29T10:00:06Z", "end": "2026-11-29T10:00:06Z"}','{"format":1,"content":"content of run-6","base":"run-3","id":"run-6","commit":{"id":"de805af89f0c2b7cc92c55d39735bbbbe39dede8","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"main"},"start":"2026-11-29T10:00:06Z","end":"2026-11-29T10:00:06Z","seconds":0,"complete":false,"at":[0],"levels":{"value":[0.2]}}
');
INSERT INTO "runs" VALUES(7,'run-7',1,'content of run-7','2308aa4fb87505e99cd43149030f94e9b0d60848','09bc99338abf5d745496180da22a53c8222d14e6',1,0,'2026-11-29T10:00:07Z','{"id": "run-7", "environment": "linux", "commit": {"id": "2308aa4fb87505e99cd43149030f94e9b0d60848", "tree": "09bc99338abf5d745496180da22a53c8222d14e6", "branch": "main"}, "start": "2026-11-29T10:00:07Z", "end": "2026-11-29T10:00:07Z"}','{"format":1,"content":"content of run-7","base":"run-4","id":"run-7","commit":{"id":"2308aa4fb87505e99cd43149030f94e9b0d60848","tree":"09bc99338abf5d745496180da22a53c8222d14e6","branch":"main"},"start":"2026-11-29T10:00:07Z","end":"2026-11-29T10:00:07Z","seconds":0,"complete":true,"gone":[3],"at":[0,1],"levels":{"value":[1002,3000000]},"sites":{"names":["code.py:1 load"],"at":[1],"of":[[0]],"is":[3000]}}
');
INSERT INTO "runs" VALUES(8,'run-8',2,'content of run-8','2308aa4fb87505e99cd43149030f94e9b0d60848','09bc99338abf5d745496180da22a53c8222d14e6',1,0,'2026-11-29T10:00:08Z','{"id": "run-8", "environment": "linux", "commit": {"id": "2308aa4fb87505e99cd43149030f94e9b0d60848", "tree": "09bc99338abf5d745496180da22a53c8222d14e6", "branch": "main"}, "start": "2026-11-29T10:00:08Z", "end": "2026-11-29T10:00:08Z"}','{"format":1,"content":"content of run-8","base":"run-5","id":"run-8","commit":{"id":"2308aa4fb87505e99cd43149030f94e9b0d60848","tree":"09bc99338abf5d745496180da22a53c8222d14e6","branch":"main"},"start":"2026-11-29T10:00:08Z","end":"2026-11-29T10:00:08Z","seconds":0,"complete":true}
');
INSERT INTO "runs" VALUES(9,'run-9',3,'content of run-9','2308aa4fb87505e99cd43149030f94e9b0d60848','09bc99338abf5d745496180da22a53c8222d14e6',0,0,'2026-11-29T10:00:09Z','{"id": "run-9", "environment": "linux", "machine": "quick, 2 cores", "commit": {"id": "2308aa4fb87505e99cd43149030f94e9b0d60848", "tree": "09bc99338abf5d745496180da22a53c8222d14e6", "branch": "main"}, "complete": false, "start": "2026-11-29T10:00:09Z", "end": "2026-11-29T10:00:09Z"}','{"format":1,"content":"content of run-9","base":"run-6","id":"run-9","commit":{"id":"2308aa4fb87505e99cd43149030f94e9b0d60848","tree":"09bc99338abf5d745496180da22a53c8222d14e6","branch":"main"},"start":"2026-11-29T10:00:09Z","end":"2026-11-29T10:00:09Z","seconds":0,"complete":false,"at":[0],"levels":{"value":[0.30000000000000004]}}
');
INSERT INTO "runs" VALUES(10,'run-10',1,'content of run-10','2308aa4fb87505e99cd43149030f94e9b0d60848','09bc99338abf5d745496180da22a53c8222d14e6',1,1,'2026-11-29T10:00:10Z','{"id": "run-10", "environment": "linux", "commit": {"id": "2308aa4fb87505e99cd43149030f94e9b0d60848", "tree": "09bc99338abf5d745496180da22a53c8222d14e6", "branch": "main", "dirty": true}, "start": "2026-11-29T10:00:10Z", "end": "2026-11-29T10:00:10Z"}','{"format":1,"content":"content of run-10","base":"run-7","id":"run-10","commit":{"id":"2308aa4fb87505e99cd43149030f94e9b0d60848","tree":"09bc99338abf5d745496180da22a53c8222d14e6","branch":"main","dirty":true},"start":"2026-11-29T10:00:10Z","end":"2026-11-29T10:00:10Z","seconds":0,"complete":true,"gone":[0],"at":[1,1],"levels":{"value":[7000000,0],"baseline":{"at":[0],"is":[null]},"anchor":{"at":[0],"is":[null]},"allowed":{"at":[0],"is":[null]},"limit":{"at":[0],"is":[null]}}}
');
INSERT INTO "runs" VALUES(11,'run-11',1,'content of run-11','1a7df1fa7468adf8c0be7038b89fd206c240f826','a7c51973d0f44faa2f242a042ab387cdcc099b7d',1,0,'2026-11-29T10:00:11Z','{"id": "run-11", "environment": "linux", "commit": {"id": "1a7df1fa7468adf8c0be7038b89fd206c240f826", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "main"}, "start": "2026-11-29T10:00:11Z", "end": "2026-11-29T10:00:11Z"}','{"format":1,"content":"content of run-11","base":"run-10","id":"run-11","commit":{"id":"1a7df1fa7468adf8c0be7038b89fd206c240f826","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"main"},"start":"2026-11-29T10:00:11Z","end":"2026-11-29T10:00:11Z","seconds":0,"complete":true,"at":[0],"levels":{"value":[1000000],"baseline":[1000000],"anchor":[900000],"allowed":[500000],"limit":[9000000]},"named":[["bundle","app","bundle.initial.raw[main]","B","web","","exact"],["tests/test_a.py","test_two","memory.peak","B","linux","","near-exact"]],"named_levels":{"value":{"at":[0],"is":[1003]},"bound":{"at":[1],"is":[2000000]}},"sites":{"names":["code.py:1 load"],"at":[0],"of":[[0]],"is":[4000]}}
');
INSERT INTO "runs" VALUES(12,'run-12',2,'content of run-12','1a7df1fa7468adf8c0be7038b89fd206c240f826','a7c51973d0f44faa2f242a042ab387cdcc099b7d',1,0,'2026-11-29T10:00:12Z','{"id": "run-12", "environment": "linux", "commit": {"id": "1a7df1fa7468adf8c0be7038b89fd206c240f826", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "main"}, "start": "2026-11-29T10:00:12Z", "end": "2026-11-29T10:00:12Z"}','{"format":1,"content":"content of run-12","base":"run-8","id":"run-12","commit":{"id":"1a7df1fa7468adf8c0be7038b89fd206c240f826","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"main"},"start":"2026-11-29T10:00:12Z","end":"2026-11-29T10:00:12Z","seconds":0,"complete":true}
');
INSERT INTO "runs" VALUES(13,'run-13',3,'content of run-13','1a7df1fa7468adf8c0be7038b89fd206c240f826','a7c51973d0f44faa2f242a042ab387cdcc099b7d',0,0,'2026-11-29T10:00:13Z','{"id": "run-13", "environment": "linux", "machine": "quick, 2 cores", "commit": {"id": "1a7df1fa7468adf8c0be7038b89fd206c240f826", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "main"}, "complete": false, "start": "2026-11-29T10:00:13Z", "end": "2026-11-29T10:00:13Z"}','{"format":1,"content":"content of run-13","base":"run-9","id":"run-13","commit":{"id":"1a7df1fa7468adf8c0be7038b89fd206c240f826","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"main"},"start":"2026-11-29T10:00:13Z","end":"2026-11-29T10:00:13Z","seconds":0,"complete":false,"at":[0],"levels":{"value":[0.4]}}
');
INSERT INTO "runs" VALUES(14,'run-14',1,'content of run-14','1a7df1fa7468adf8c0be7038b89fd206c240f826','a7c51973d0f44faa2f242a042ab387cdcc099b7d',1,1,'2026-11-29T10:00:14Z','{"id": "run-14", "environment": "linux", "commit": {"id": "1a7df1fa7468adf8c0be7038b89fd206c240f826", "tree": "a7c51973d0f44faa2f242a042ab387cdcc099b7d", "branch": "theirs", "fork": true}, "start": "2026-11-29T10:00:14Z", "end": "2026-11-29T10:00:14Z"}','{"format":1,"content":"content of run-14","base":"run-11","id":"run-14","commit":{"id":"1a7df1fa7468adf8c0be7038b89fd206c240f826","tree":"a7c51973d0f44faa2f242a042ab387cdcc099b7d","branch":"theirs","fork":true},"start":"2026-11-29T10:00:14Z","end":"2026-11-29T10:00:14Z","seconds":0,"complete":true,"gone":[0,3],"at":[1],"levels":{"value":[8000000],"baseline":[null],"anchor":[null],"allowed":[null],"limit":[null]}}
');
INSERT INTO "runs" VALUES(15,'run-15',1,'content of run-15','407eb95b7a67d5e912af9c664bf269f6b74f8c8b','b4f0614fb1edb354447825f4cef599f246cf2448',1,0,'2026-11-29T10:00:15Z','{"id": "run-15", "environment": "linux", "commit": {"id": "407eb95b7a67d5e912af9c664bf269f6b74f8c8b", "tree": "b4f0614fb1edb354447825f4cef599f246cf2448", "branch": "main"}, "start": "2026-11-29T10:00:15Z", "end": "2026-11-29T10:00:15Z"}','{"format":1,"content":"content of run-15","base":"run-14","id":"run-15","commit":{"id":"407eb95b7a67d5e912af9c664bf269f6b74f8c8b","tree":"b4f0614fb1edb354447825f4cef599f246cf2448","branch":"main"},"start":"2026-11-29T10:00:15Z","end":"2026-11-29T10:00:15Z","seconds":0,"complete":true,"at":[0],"levels":{"value":[2000000],"baseline":[1000000],"anchor":[900000],"allowed":[500000],"limit":[9000000]},"named":[["bundle","app","bundle.initial.raw[main]","B","web","","exact"]],"named_levels":{"value":[1004]},"sites":{"names":["code.py:1 load"],"at":[0],"of":[[0]],"is":[5000]}}
');
INSERT INTO "runs" VALUES(16,'run-16',2,'content of run-16','407eb95b7a67d5e912af9c664bf269f6b74f8c8b','b4f0614fb1edb354447825f4cef599f246cf2448',1,0,'2026-11-29T10:00:16Z','{"id": "run-16", "environment": "linux", "commit": {"id": "407eb95b7a67d5e912af9c664bf269f6b74f8c8b", "tree": "b4f0614fb1edb354447825f4cef599f246cf2448", "branch": "main"}, "start": "2026-11-29T10:00:16Z", "end": "2026-11-29T10:00:16Z"}','{"format":1,"content":"content of run-16","base":"run-12","id":"run-16","commit":{"id":"407eb95b7a67d5e912af9c664bf269f6b74f8c8b","tree":"b4f0614fb1edb354447825f4cef599f246cf2448","branch":"main"},"start":"2026-11-29T10:00:16Z","end":"2026-11-29T10:00:16Z","seconds":0,"complete":true}
');
INSERT INTO "runs" VALUES(17,'run-17',3,'content of run-17','407eb95b7a67d5e912af9c664bf269f6b74f8c8b','b4f0614fb1edb354447825f4cef599f246cf2448',0,0,'2026-11-29T10:00:17Z','{"id": "run-17", "environment": "linux", "machine": "quick, 2 cores", "commit": {"id": "407eb95b7a67d5e912af9c664bf269f6b74f8c8b", "tree": "b4f0614fb1edb354447825f4cef599f246cf2448", "branch": "main"}, "complete": false, "start": "2026-11-29T10:00:17Z", "end": "2026-11-29T10:00:17Z"}','{"format":1,"content":"content of run-17","base":"run-13","id":"run-17","commit":{"id":"407eb95b7a67d5e912af9c664bf269f6b74f8c8b","tree":"b4f0614fb1edb354447825f4cef599f246cf2448","branch":"main"},"start":"2026-11-29T10:00:17Z","end":"2026-11-29T10:00:17Z","seconds":0,"complete":false,"at":[0],"levels":{"value":[0.5]}}
');
INSERT INTO "runs" VALUES(18,'run-18',1,'content of run-18','70f77f5697b85252c384c2ca03b70a2142b12901','39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77',1,0,'2026-11-29T10:00:18Z','{"id": "run-18", "environment": "linux", "commit": {"id": "70f77f5697b85252c384c2ca03b70a2142b12901", "tree": "39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77", "branch": "main"}, "start": "2026-11-29T10:00:18Z", "end": "2026-11-29T10:00:18Z"}','{"format":1,"content":"content of run-18","base":"run-15","id":"run-18","commit":{"id":"70f77f5697b85252c384c2ca03b70a2142b12901","tree":"39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77","branch":"main"},"start":"2026-11-29T10:00:18Z","end":"2026-11-29T10:00:18Z","seconds":0,"complete":true,"at":[0,1],"levels":{"value":[1005,3000000]},"named":[["tests/test_a.py","test_two","memory.peak","B","linux","","near-exact"]],"named_levels":{"bound":[2000000]},"sites":{"names":["code.py:1 load"],"at":[1],"of":[[0]],"is":[6000]}}
');
INSERT INTO "runs" VALUES(19,'run-19',2,'content of run-19','70f77f5697b85252c384c2ca03b70a2142b12901','39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77',1,0,'2026-11-29T10:00:19Z','{"id": "run-19", "environment": "linux", "commit": {"id": "70f77f5697b85252c384c2ca03b70a2142b12901", "tree": "39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77", "branch": "main"}, "start": "2026-11-29T10:00:19Z", "end": "2026-11-29T10:00:19Z"}','{"format":1,"content":"content of run-19","base":"run-16","id":"run-19","commit":{"id":"70f77f5697b85252c384c2ca03b70a2142b12901","tree":"39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77","branch":"main"},"start":"2026-11-29T10:00:19Z","end":"2026-11-29T10:00:19Z","seconds":0,"complete":true}
');
INSERT INTO "runs" VALUES(20,'run-20',3,'content of run-20','70f77f5697b85252c384c2ca03b70a2142b12901','39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77',0,0,'2026-11-29T10:00:20Z','{"id": "run-20", "environment": "linux", "machine": "quick, 2 cores", "commit": {"id": "70f77f5697b85252c384c2ca03b70a2142b12901", "tree": "39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77", "branch": "main"}, "complete": false, "start": "2026-11-29T10:00:20Z", "end": "2026-11-29T10:00:20Z"}','{"format":1,"content":"content of run-20","base":"run-17","id":"run-20","commit":{"id":"70f77f5697b85252c384c2ca03b70a2142b12901","tree":"39e8c6b7b093b2dcd48156c7c40eb0360ca0bf77","branch":"main"},"start":"2026-11-29T10:00:20Z","end":"2026-11-29T10:00:20Z","seconds":0,"complete":false,"at":[0],"levels":{"value":[0.6000000000000001]}}
');
INSERT INTO "runs" VALUES(21,'run-21',1,'content of run-21','acf738327ffae760364fca7a6122adc6bc3d0461','64644720923215822924680cd9a6bea57f1394c6',1,0,'2026-11-29T10:00:21Z','{"id": "run-21", "environment": "linux", "commit": {"id": "acf738327ffae760364fca7a6122adc6bc3d0461", "tree": "64644720923215822924680cd9a6bea57f1394c6", "branch": "feature"}, "start": "2026-11-29T10:00:21Z", "end": "2026-11-29T10:00:21Z"}','{"format":1,"content":"content of run-21","base":"run-18","id":"run-21","commit":{"id":"acf738327ffae760364fca7a6122adc6bc3d0461","tree":"64644720923215822924680cd9a6bea57f1394c6","branch":"feature"},"start":"2026-11-29T10:00:21Z","end":"2026-11-29T10:00:21Z","seconds":0,"complete":true,"gone":[0,3],"at":[1],"levels":{"value":[4000000],"baseline":[null],"anchor":[null],"allowed":[null],"limit":[null]}}
');
CREATE TABLE series (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	file TEXT NOT NULL, 
	name TEXT NOT NULL, 
	metric TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	machine TEXT NOT NULL, 
	precision TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO "series" VALUES(1,'7c6f328d8b9d849a','tests/test_a.py','test_one','memory.peak','B','linux','','near-exact');
INSERT INTO "series" VALUES(2,'8b4717de5bf34e64','tests/test_a.py','test_one','memory.retained','B','linux','','near-exact');
INSERT INTO "series" VALUES(3,'e111af44296cef56','bundle','app','bundle.initial.raw[main]','B','web','','exact');
INSERT INTO "series" VALUES(4,'add3345c4c3e2a2f','tests/test_a.py','test_two','memory.peak','B','linux','','near-exact');
INSERT INTO "series" VALUES(5,'39396bffbd619729','tests/test_a.py','test_one','time.median','s','linux','quick, 2 cores','noisy');
CREATE TABLE tips (
	chain INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	PRIMARY KEY (chain, series), 
	FOREIGN KEY(chain) REFERENCES chains (id), 
	FOREIGN KEY(series) REFERENCES series (id), 
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID

;
INSERT INTO "tips" VALUES(1,1,21);
INSERT INTO "tips" VALUES(1,2,10);
INSERT INTO "tips" VALUES(2,1,2);
INSERT INTO "tips" VALUES(2,4,2);
INSERT INTO "tips" VALUES(3,5,20);
CREATE INDEX series_by_subject ON series (file, name, metric);
CREATE INDEX points_by_run ON points (run);
COMMIT;
